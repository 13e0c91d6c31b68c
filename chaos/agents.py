"""Agents whose whole answer is known beforehand, so that a word too few or too many shows."""

from __future__ import annotations

import asyncio

from agents_app.base import Agent, ToolResult, Turn, tool

WORDS = 24
PADDING = "x" * 200


def words(begin: int, end: int) -> str:
    return "".join(f"w{number} " for number in range(begin, end))


STEADY = words(0, WORDS)
TALKER_PIECES = 400


@tool
async def wait(turn: Turn, seconds: float) -> ToolResult:
    """Take some time."""
    await asyncio.sleep(seconds)
    return ToolResult("waited")


class Steady(Agent):
    """The message: how long to speak, and how long the tool in the middle takes, in seconds."""

    id = "steady"
    name = "Steady"
    description = "Says the same words in every answer, with a tool in the middle."

    async def respond(self, turn: Turn) -> None:
        speak, work = map(float, turn.message.text.split()[:2])
        for number in range(WORDS):
            if number == WORDS // 2:
                await turn.use(wait, seconds=work)
            await turn.say(words(number, number + 1))
            await asyncio.sleep(speak / WORDS)


class Talker(Agent):
    id = "talker"
    name = "Talker"
    description = "Says much, and fast."

    async def respond(self, turn: Turn) -> None:
        for number in range(TALKER_PIECES):
            await turn.say(f"{number} {PADDING}\n\n")
            await asyncio.sleep(0.01)


class Thinker(Agent):
    id = "thinker"
    name = "Thinker"
    description = "Says what its language model says."
    prompt = "Answer."

    async def respond(self, turn: Turn) -> None:
        await turn.think(tools=())
