from __future__ import annotations

from agents_app.base import Agent, Turn
from bench.schedule import pieces


class Metronome(Agent):
    id = "metronome"
    name = "Metronome"
    description = "Says its pieces exactly on time, so that what comes late was made late by the server."

    async def respond(self, turn: Turn) -> None:
        async for text in pieces(turn.message.text):
            await turn.say(text)
