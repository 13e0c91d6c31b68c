"""Tess: an agent that talks slowly, calls a tool that counts its calls, asks, fails and runs out, as the message says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import count

from django.conf import settings

from agents_app.base import Agent, Part, ToolResult, Turn, tool
from agents_app.runtime.brake import Limit
from agents_app.runtime.turn import RunningTurn

WORDS = 120


@tool
async def count_calls(turn: Turn) -> ToolResult:
    """Count how often this was called, in a file that outlives the process."""
    path = settings.DATA_DIR / "calls.txt"
    with path.open("a") as file:
        file.write("called\n")
    return ToolResult(f"called {len(path.read_text().splitlines())} times")


@tool
async def repeat(turn: Turn, text: str) -> ToolResult:
    """Give back what one gets."""
    return ToolResult(text)


class Tess(Agent):
    id = "tess"
    name = "Tess"
    description = "Does what a test asks for."

    async def respond(self, turn: Turn) -> None:
        text = turn.message.text
        if "ask me" in text:
            answer = await turn.ask("Which colour?")
            await turn.say(f"So {answer.text} it is.")
        elif "fail" in text and "referenceTaskIds" not in turn.metadata:  # the second time it works
            await turn.fail("The string broke.")
        elif "repeat " in text:
            await self.repeat(turn, text.partition("repeat ")[2])
        elif "spend" in text:
            await self.spend(turn)
        elif "markdown" in text:
            await turn.say("# A title\n\nSome **bold** text.\n\n```python\nprint('hi')\n```\n\nThe end.")
        else:
            await self.talk(turn, count() if "for ever" in text else range(WORDS))

    async def repeat(self, turn: Turn, text: str) -> None:
        """The text in every place where an agent can put one, and streamed in pieces that cut tags apart."""
        await turn.report(text)
        for start in range(0, len(text), 3):
            await turn.say(text[start : start + 3])
        await turn.use(repeat, text=text)
        file = Part(raw=text.encode(), filename=text, media_type="text/html")
        await turn.add_artifact(Part(text=text), Part(data={text: text}), file, name=text, description=text)
        await turn.say(f"\n\n{text}\n\nThat is all of it.")

    async def spend(self, turn: Turn) -> None:
        """The first time all there is."""
        await turn.say("I dug one hole.\n\n")
        await turn.use(count_calls)
        assert isinstance(turn, RunningTurn)
        if turn.choice is None:
            turn.run_out(Limit.TOKENS)
        await turn.say("And that was the last one.")

    async def talk(self, turn: Turn, numbers: Iterable[int]) -> None:
        await turn.say("I call my tool.\n\n")
        await turn.use(count_calls)
        for number in numbers:
            await turn.say(f"word{number} ")
            await asyncio.sleep(0.03)
        await turn.say("and that is all.")
