from __future__ import annotations

from typing import Any

import pytest

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.brains.thinking import think
from agents_app.tests.fake_turn import FakeTurn, said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def agents() -> None:
    register_agents()


async def ask(text: str, *history: Any, **answers: str) -> FakeTurn:
    agent = registry.get_agent("chloe")
    turn = FakeTurn(agent, said(text), history)
    turn.answers = answers
    await think(turn, prompt=agent.prompt, tools=agent.tools)
    return turn


def test_it_works() -> None:
    agent = registry.get_agent("chloe")
    assert agent.name == "Chloe"
    assert agent.prompt.startswith("You are Chloe.")
    assert {"web_page", "calculate", "current_time", "ask_agent"} == {tool.name for tool in agent.tools}


async def test_she_asks_phil_what_the_weather_is_and_says_what_to_wear() -> None:
    turn = await ask(
        "@chloe what should I wear in Oslo today?", phil="**Oslo**, today: snow, −4 °C, feels like −10 °C."
    )
    assert turn.asked == [("phil", "What is the weather in Oslo today?")]
    assert "−4 °C" in turn.text and "boots" in turn.text


async def test_she_remembers_what_it_was_about() -> None:
    earlier = said("What should I wear in Oslo today?")
    turn = await ask("And in Paris?", earlier, phil="18 °C and dry.")
    assert turn.asked == [("phil", "What is the weather in Paris today?")]


async def test_she_says_so_when_phil_does_not_answer() -> None:
    turn = await ask("What should I wear in Oslo today?")
    assert "phil is not here" in turn.text


async def test_she_calculates() -> None:
    turn = await ask("Chloe, what is 19% of 1,250?")
    assert turn.calls == [("calculate", {"expression": "19% of 1,250"})]
    assert "**237.5**" in turn.text


async def test_she_knows_the_time_elsewhere() -> None:
    turn = await ask("What time is it in Tokyo?")
    assert turn.calls == [("current_time", {"place_or_zone": "Tokyo"})]
    assert "Tokyo" in turn.text


async def test_she_introduces_herself_honestly() -> None:
    turn = await ask("Who are you?")
    assert "**Chloe**" in turn.text and "No language model is connected" in turn.text
