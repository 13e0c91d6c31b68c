from __future__ import annotations

import pytest

from agents_app.base import Answer, ToolError
from agents_app.tools import ask_agent


class Delegating:
    """All that the tool needs of a turn."""

    def __init__(self, state: str = "completed", text: str = "Take a coat.") -> None:
        self.state, self.text = state, text
        self.asked: list[tuple[str, str]] = []

    async def ask_agent(self, agent_id: str, text: str) -> Answer:
        self.asked.append((agent_id, text))
        return Answer(agent_id, self.state, self.text)


async def test_it_works():
    turn = Delegating()
    found = await ask_agent(turn, agent="phil_connors", message="How cold is Oslo?")
    assert turn.asked == [("phil_connors", "How cold is Oslo?")]
    assert found.text == "Take a coat."
    assert found.facts == {"agent": "phil_connors", "state": "completed", "text": "Take a coat."}


@pytest.mark.parametrize("written", ["@phil_connors", "Phil Connors", " phil_connors "])
async def test_the_ways_a_model_writes_an_agent(written):
    turn = Delegating()
    await ask_agent(turn, agent=written, message="Hello")
    assert turn.asked[0][0] == "phil_connors"


@pytest.mark.parametrize("state", ["rejected", "failed", "canceled"])
async def test_an_answer_that_is_none_is_an_error_with_its_text(state):
    with pytest.raises(ToolError, match="Not today"):
        await ask_agent(Delegating(state, "Not today."), agent="phil_connors", message="Hello")


async def test_an_agent_that_fails_without_a_word_is_named():
    with pytest.raises(ToolError, match="phil_connors did not answer"):
        await ask_agent(Delegating("failed", ""), agent="phil_connors", message="Hello")


@pytest.mark.parametrize(("agent", "message"), [("", "Hello"), ("@", "Hello"), ("phil_connors", "  ")])
async def test_nobody_is_asked_nothing(agent, message):
    turn = Delegating()
    with pytest.raises(ToolError):
        await ask_agent(turn, agent=agent, message=message)
    assert turn.asked == []
