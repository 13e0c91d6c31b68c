"""Agents that follow a script, here and in a server of their own process (`tkr_chat/tests/a2a`)."""

from __future__ import annotations

import asyncio
import json

from agents_app.base import Agent, Part, Turn


class Clerk(Agent):
    id = "clerk"
    name = "Clerk"
    description = "Does what the message says, for tests."

    async def respond(self, turn: Turn) -> None:
        for line in turn.message.text.splitlines():
            await self._do(turn, *line.partition(" ")[::2])

    async def _do(self, turn: Turn, verb: str, rest: str) -> None:
        match verb:
            case "say":
                await turn.say(rest)
            case "wait":
                await asyncio.sleep(float(rest))
            case "report":
                await turn.report(rest)
            case "ask":
                answer = await turn.ask(rest)
                await turn.say(f"You said {answer.text}.")
            case "data":
                await turn.add_artifact(Part(data=json.loads(rest)), name="facts")
            case "file":
                await turn.add_artifact(Part(raw=rest.encode(), media_type="text/plain", filename="a.txt"), name="file")
            case "chunks":
                artifact = await turn.add_artifact(Part(text="0"), name="chunks", last=False)
                for number in range(1, int(rest)):
                    await artifact.append(Part(text=str(number)), last=number == int(rest) - 1)
            case "fail":
                await turn.fail(rest)
            case "reject":
                await turn.reject(rest)
            case "history":
                await turn.say(f"Before: {len(await turn.history())}.")
            case "pass":
                agent, _, text = rest.partition(" ")
                answer = await turn.ask_agent(agent, text)
                await turn.say(f"{agent} says: {answer.text}")
            case "raise":
                raise RuntimeError(rest)
            case _:
                await turn.say(f"I read: {verb} {rest}".strip())


class Parrot(Agent):
    id = "parrot"
    name = "Parrot"
    description = "Answers with a message instead of a task."
    answers_with_message = True

    async def respond(self, turn: Turn) -> None:
        await turn.reply(turn.message.text)
