"""An agent that plays a script, for tests and benchmarks: no brain, no network, the same every time.

    class Echo(ScriptedAgent):
        id = "echo"
        name = "Echo"
        description = "Says what it hears."
        script = (Wait(0.1), Say("You said: {heard}"))

`{heard}` is the message, and after a tool, a question or another agent, what came back.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from agents_app.base import Agent, Part, Tool, ToolError, Turn

START_AT = re.compile(r"start at (\d+(?:\.\d+)?)")


class Step(Protocol):
    async def play(self, turn: Turn, heard: str) -> str:
        """Returns what the next steps know as `{heard}`."""


class ScriptedAgent(Agent):
    script: ClassVar[Sequence[Step]] = ()

    async def respond(self, turn: Turn) -> None:
        heard = turn.message.text
        for step in self.script:
            heard = await step.play(turn, heard)


@dataclass(frozen=True)
class Say:
    """The text at once, or in pieces of `size` characters, `per_second` of them (0: without a pause)."""

    text: str
    size: int = 0
    per_second: float = 0

    async def play(self, turn: Turn, heard: str) -> str:
        text = self.text.replace("{heard}", heard)
        size = self.size or len(text) or 1
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        await _say_on_schedule(turn, iter(pieces), self.per_second, time.time())
        return heard


@dataclass(frozen=True)
class Stream:
    """`pieces` numbered pieces of `chars` characters on a schedule without drift: piece n is due at start + n/rate.

    A message with "start at 1767225600.5" (seconds since 1970) sets the start, so that whoever measures knows it.
    """

    pieces: int = 200
    chars: int = 8
    per_second: float = 50

    async def play(self, turn: Turn, heard: str) -> str:
        asked = START_AT.search(turn.message.text)
        start = float(asked[1]) if asked else time.time()
        numbered = (f"{number:0{self.chars - 1}d} " for number in range(self.pieces))
        await _say_on_schedule(turn, numbered, self.per_second, start)
        return heard


@dataclass(frozen=True)
class Wait:
    seconds: float

    async def play(self, turn: Turn, heard: str) -> str:
        await asyncio.sleep(self.seconds)
        return heard


@dataclass(frozen=True)
class Report:
    text: str

    async def play(self, turn: Turn, heard: str) -> str:
        await turn.report(self.text)
        return heard


@dataclass(frozen=True)
class Use:
    """Call a tool. Its error is heard like a result."""

    tool: Tool
    arguments: Mapping[str, Any] = field(default_factory=dict)

    async def play(self, turn: Turn, heard: str) -> str:
        try:
            return (await turn.use(self.tool, **self.arguments)).text
        except ToolError as error:
            return str(error)


@dataclass(frozen=True)
class Ask:
    """Ask the person."""

    question: str

    async def play(self, turn: Turn, heard: str) -> str:
        return (await turn.ask(self.question.replace("{heard}", heard))).text


@dataclass(frozen=True)
class AskAgent:
    agent_id: str
    text: str = "{heard}"

    async def play(self, turn: Turn, heard: str) -> str:
        return (await turn.ask_agent(self.agent_id, self.text.replace("{heard}", heard))).text


@dataclass(frozen=True)
class Think:
    """Let the brain answer."""

    async def play(self, turn: Turn, heard: str) -> str:
        return await turn.think()


@dataclass(frozen=True)
class Produce:
    """Save an artifact; each of `chunks` is appended to it."""

    parts: Sequence[Part]
    name: str = ""
    chunks: Sequence[Part] = ()

    async def play(self, turn: Turn, heard: str) -> str:
        artifact = await turn.add_artifact(*self.parts, name=self.name, last=not self.chunks)
        for number, chunk in enumerate(self.chunks, start=1):
            await artifact.append(chunk, last=number == len(self.chunks))
        return heard


@dataclass(frozen=True)
class Reply:
    text: str

    async def play(self, turn: Turn, heard: str) -> str:
        await turn.reply(self.text.replace("{heard}", heard))
        return heard


@dataclass(frozen=True)
class Reject:
    reason: str

    async def play(self, turn: Turn, heard: str) -> str:
        await turn.reject(self.reason)
        return heard


@dataclass(frozen=True)
class Fail:
    reason: str

    async def play(self, turn: Turn, heard: str) -> str:
        await turn.fail(self.reason)
        return heard


@dataclass(frozen=True)
class Crash:
    """A mistake in the agent's own code."""

    async def play(self, turn: Turn, heard: str) -> str:
        raise RuntimeError("The script says so.")


async def _say_on_schedule(turn: Turn, pieces: Iterator[str], per_second: float, start: float) -> None:
    for number, piece in enumerate(pieces):
        if per_second:
            # Due times count from the start: waiting between pieces would add each delay to all that follow.
            await asyncio.sleep(max(0.0, start + number / per_second - time.time()))
        await turn.say(piece)
