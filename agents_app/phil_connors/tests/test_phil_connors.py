from __future__ import annotations

from datetime import date

import pytest

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.brains.thinking import think
from agents_app.phil_connors.tools import next_groundhog_day
from agents_app.tests.fake_turn import FakeTurn, said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def agents() -> None:
    register_agents()


async def ask(text: str) -> FakeTurn:
    agent = registry.get_agent("phil")
    turn = FakeTurn(agent, said(text))
    await think(turn, prompt=agent.prompt, tools=agent.tools)
    return turn


def test_it_works() -> None:
    agent = registry.get_agent("phil")
    assert agent.name == "Phil Connors"
    assert agent.prompt.startswith("You are Phil Connors")
    assert {"weather", "current_time", "groundhog_day", "ask_agent"} == {tool.name for tool in agent.tools}


async def test_he_wants_to_know_where() -> None:
    turn = await ask("What's the weather like?")
    assert turn.calls == []
    assert turn.text in registry.get_agent("phil").voice["which_place"]


@pytest.mark.parametrize("text", ["How long is it until Groundhog Day?", "When is the next groundhog day?"])
async def test_he_knows_the_date_he_cannot_leave(text: str) -> None:
    turn = await ask(text)
    assert turn.calls == [("groundhog_day", {})]
    assert "2 February" in turn.text


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2026, 2, 1), date(2026, 2, 2)),
        (date(2026, 2, 2), date(2026, 2, 2)),
        (date(2026, 2, 3), date(2027, 2, 2)),
    ],
)
def test_the_next_groundhog_day(today: date, day: date) -> None:
    assert next_groundhog_day(today) == day
