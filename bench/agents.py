from __future__ import annotations

from agents_app.base import Agent, Part, Turn
from bench.schedule import pieces

CHUNKS = 20


class Metronome(Agent):
    id = "metronome"
    name = "Metronome"
    description = "Says its pieces exactly on time, so that what comes late was made late by the server."

    async def respond(self, turn: Turn) -> None:
        async for text in pieces(turn.message.text):
            await turn.say(text)


class Scripted(Agent):
    id = "scripted"
    name = "Scripted"
    description = "Says hello, or twenty chunks of an artifact."

    async def respond(self, turn: Turn) -> None:
        if "chunks" not in turn.message.text:
            await turn.say("Hello.")
            return
        artifact = await turn.add_artifact(Part(text="0"), name="chunks", last=False)
        for number in range(1, CHUNKS):
            await artifact.append(Part(text=str(number)), last=number == CHUNKS - 1)
