"""The embedded brain in the loop, with tools; its language model is off."""

from __future__ import annotations

from typing import Any

import pytest

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.base import ToolError, ToolResult, tool
from agents_app.brains.thinking import think
from agents_app.tests.fake_turn import FakeTurn, said

pytestmark = pytest.mark.django_db(transaction=True)

OSLO = "**Oslo**, today: light rain, 7 °C now, feels like 4 °C, between 3 and 9 °C over the day. Wind 14 km/h, 2.1 mm."


@pytest.fixture(autouse=True)
def agents() -> None:
    register_agents()


async def answer(turn: FakeTurn) -> str:
    return await think(turn, prompt=turn.agent.prompt, tools=turn.agent.tools)


def chloe(text: str, *history: Any) -> FakeTurn:
    return FakeTurn(registry.get_agent("chloe"), said(text), history)


async def test_it_works() -> None:
    turn = chloe("@chloe what should I wear in Oslo today?")
    turn.answers["phil"] = OSLO
    text = await answer(turn)
    assert turn.asked == [("phil", "What is the weather in Oslo today?")]
    assert "Phil Connors" in text and "umbrella" in text
    assert text == turn.text


async def test_arithmetic_needs_no_language_model() -> None:
    turn = chloe("What is 15% of 80?")
    assert "**12**" in await answer(turn)
    assert turn.calls == [("calculate", {"expression": "15% of 80"})]
    assert {usage["model"] for usage in turn.usages} == {"embedded"}  # and none is credited with it


async def test_a_tool_that_fails_is_explained() -> None:
    turn = chloe("What is 1 / 0?")
    assert "divides by zero" in await answer(turn)


async def test_nobody_waits_for_itself() -> None:
    """Phil was asked by Chloe: he does not ask her back."""
    turn = FakeTurn(registry.get_agent("phil"), said("What does https://example.com say?", "Chloe", author_id="chloe"))
    turn.chain = ("chloe",)
    await answer(turn)
    assert turn.calls == []


async def test_it_is_honest_where_words_are_missing() -> None:
    text = await answer(chloe("Write a poem about the sea"))
    assert "no language model is connected" in text and "ANTHROPIC_API_KEY" in text


async def test_it_goes_on_after_a_crash() -> None:
    turn = chloe("What is 15% of 80?")
    first = await answer(turn)
    del turn.log[2:]  # the last answer was never saved
    turn.pieces.clear()
    assert await answer(turn) == first
    assert len(turn.calls) == 1


async def test_an_authors_own_tool_is_called_by_its_name() -> None:
    @tool
    async def roll_dice(turn: Any, sides: int = 6) -> ToolResult:
        """Roll."""
        return ToolResult(f"A {sides}-sided die shows 4.")

    turn = chloe("Please roll the dice with 20 sides")
    assert await think(turn, prompt="", tools=[roll_dice]) == "A 20-sided die shows 4."


async def test_a_broken_tool_of_an_author_is_explained() -> None:
    @tool
    async def open_door(turn: Any) -> str:
        """Open."""
        raise ToolError("The door is stuck.")

    assert "The door is stuck." in await think(chloe("open the door"), prompt="", tools=[open_door])
