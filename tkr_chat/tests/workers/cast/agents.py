"""Agents that leave a trace of what they did in a file, so that it shows what was done twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from agents_app.base import Agent, ToolResult, Turn, tool

WORDS = 20


def write(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


def read(path: str) -> str:
    return Path(path).read_text()


@tool
async def note(turn: Turn, path: str, text: str, seconds: float = 0) -> ToolResult:
    """Write a line, then take some time."""
    write(path, text)
    await asyncio.sleep(seconds)
    return ToolResult(f"noted {text}")


class Mason(Agent):
    """Says twenty words in a given time, with a tool before and after them. The message: path, name, seconds."""

    id = "mason"
    name = "Mason"
    description = "Works for a while."

    async def respond(self, turn: Turn) -> None:
        path, name, seconds = turn.message.text.split()
        await turn.use(note, path=path, text=f"{name} begins")
        for number in range(WORDS):
            await turn.say(f"w{number} ")
            await asyncio.sleep(float(seconds) / WORDS)
        await turn.use(note, path=path, text=f"{name} ends")


class Smith(Agent):
    """Says when it began and ended: its limit is tried. The message: path, name, seconds."""

    id = "smith"
    name = "Smith"
    description = "Few at once."

    async def respond(self, turn: Turn) -> None:
        path, name, seconds = turn.message.text.split()
        begun = time.time()
        await asyncio.sleep(float(seconds))
        write(path, f"{name} {begun} {time.time()}")
        await turn.say(name)


class Slow(Agent):
    """Is in the middle of a tool for a long time, the first time it is called. The message: path."""

    id = "slow"
    name = "Slow"
    description = "Sits in its tool."

    async def respond(self, turn: Turn) -> None:
        path = turn.message.text.strip()
        await turn.use(note, path=path, text="first")
        again = read(path).count("second")
        await turn.use(note, path=path, text="second", seconds=0 if again else 120)
        await turn.say("done")


class Deaf(Agent):
    """Swallows every cancellation the first time, in its loop or in a thread. The message: path, "loop" or "thread"."""

    id = "deaf"
    name = "Deaf"
    description = "Never lets go."

    async def respond(self, turn: Turn) -> None:
        path, how = turn.message.text.split()
        await turn.use(note, path=path, text="begins")
        await turn.say("first ")
        if read(path).count("hangs"):
            await turn.say("second")
            return
        write(path, "hangs")
        if how == "thread":
            await asyncio.to_thread(time.sleep, 600)
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                pass


class Boss(Agent):
    """Asks Mason. The message: what Mason gets."""

    id = "boss"
    name = "Boss"
    description = "Delegates."

    async def respond(self, turn: Turn) -> None:
        answer = await turn.ask_agent("mason", turn.message.text)
        await turn.say(f"Mason says {answer.text}")


class Deadly(Agent):
    """Ends its process."""

    id = "deadly"
    name = "Deadly"
    description = "Never comes to an end."

    async def respond(self, turn: Turn) -> None:
        import os

        os._exit(9)


CAST = (Mason, Smith, Slow, Deaf, Boss, Deadly)
