"""The product's first promise, with every part real except the internet: "@chloe what should I wear in Oslo today?" """

from __future__ import annotations

from typing import Any

import pytest

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.base import Answer
from agents_app.brains.thinking import think
from agents_app.tests.fake_turn import FakeTurn, said
from agents_app.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


class DelegatingTurn(FakeTurn):
    """Whoever is asked thinks in a turn of its own."""

    async def ask_agent(self, agent_id: str, text: str) -> Answer:
        self.asked.append((agent_id, text))
        child = DelegatingTurn(registry.get_agent(agent_id), said(text, self.agent.name, author_id=self.agent.id))
        child.chain = (*self.chain, self.agent.id)
        return Answer(agent_id, "completed", await respond(child))


async def respond(turn: FakeTurn) -> str:
    return await think(turn, prompt=turn.agent.prompt, tools=turn.agent.tools)


async def test_it_works(internet: Any) -> None:
    await in_thread(register_agents)
    turn = DelegatingTurn(registry.get_agent("chloe"), said("@chloe what should I wear in Oslo today?"))
    text = await respond(turn)
    assert turn.asked == [("phil", "What is the weather in Oslo today?")]
    assert "Phil Connors" in text
    assert "7 °C, feels like 4 °C, rain" in text
    assert "a warm coat" in text and "umbrella" in text
