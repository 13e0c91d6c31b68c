"""The loop, against a provider on the network that speaks OpenAI's language."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse
from pydantic_ai.usage import RequestUsage

from agents_app.base import Agent, Tool, ToolError, TurnEnded, tool
from agents_app.brains import patience
from agents_app.brains.errors import BrainError
from agents_app.brains.tests.fake_provider import Calls, Fails, FakeProvider, Silence, Words
from agents_app.brains.thinking import price_of, think
from agents_app.tests.fake_turn import FakeTurn, said

pytestmark = pytest.mark.django_db(transaction=True)


@tool
async def add(turn: Any, a: int, b: int = 1) -> str:
    """Add two numbers."""
    return str(a + b)


@tool
async def broken(turn: Any) -> str:
    """Never works."""
    raise ToolError("The well is dry.")


@tool
async def leave(turn: Any) -> str:
    """Ends the turn."""
    raise TurnEnded


class Helper(Agent):
    id = "helper"
    name = "Helper"
    description = "Helps."
    tools = (add, broken, leave)


Provided = Callable[..., FakeProvider]


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provided]:
    """Starts a provider that plays the given script, and makes it the one that answers."""
    monkeypatch.setattr(patience.Patience, "pauses", (0.01, 0.02))
    started = []

    def start(*script: Words | Calls | Fails | Silence) -> FakeProvider:
        running = FakeProvider(*script)
        context = running.running()
        context.__enter__()
        started.append(context)
        settings.OPENAI_BASE_URL = running.url
        settings.AGENT_MODEL = "openai:test-model"
        return running

    yield start
    for context in started:
        context.__exit__(None, None, None)


async def answer(turn: FakeTurn, *tools: Tool) -> str:
    return await think(turn, prompt="Be kind.", tools=tools or Helper.tools)


async def test_it_works(provider: Provided) -> None:
    provider(Words(["Good ", "morning", "."]))
    turn = FakeTurn(Helper(), "Hello")
    assert await answer(turn) == "Good morning."
    assert turn.pieces == ["Good ", "morning", "."]
    assert turn.usages == [{"model": "test-model", "input_tokens": 10, "output_tokens": 5, "price": None}]


async def test_a_tool_is_called_and_its_result_goes_back(provider: Provided) -> None:
    server = provider(Calls([("c1", "add", {"a": 40, "b": 2})], words="Let me see."), Words(["It is 42."]))
    turn = FakeTurn(Helper(), "40 + 2?")
    assert await answer(turn) == "Let me see.\n\nIt is 42."
    assert turn.calls == [("add", {"a": 40, "b": 2})]
    assert server.requests[1]["messages"][-1] == {"role": "tool", "tool_call_id": "c1", "content": "42"}
    assert len(turn.usages) == 2


async def test_others_are_labelled_and_own_words_are_the_assistants(provider: Provided) -> None:
    server = provider(Words(["Hi."]))
    history = [
        said("Left over", "Helper", author_id="helper"),
        said("Hello", "Ada"),
        said("Hello Ada", "Helper", author_id="helper"),
        said("Bah", "Phil Connors", author_id="phil"),
    ]
    await answer(FakeTurn(Helper(), said("And now?", "Ada"), history))
    system, *messages = server.requests[0]["messages"]
    assert system["role"] == "system" and "Be kind." in system["content"]
    assert [(message["role"], message["content"]) for message in messages] == [
        ("user", "[Ada]: Hello"),
        ("assistant", "Hello Ada"),
        ("user", "[Phil Connors]: Bah"),
        ("user", "[Ada]: And now?"),
    ]


async def test_a_tool_error_is_told_to_the_model(provider: Provided) -> None:
    server = provider(Calls([("c1", "broken", {})]), Words(["It is dry."]))
    assert await answer(FakeTurn(Helper(), "Water?")) == "It is dry."
    assert server.requests[1]["messages"][-1]["content"] == "Error: The well is dry."


async def test_wrong_arguments_go_back_to_the_model_and_not_to_the_tool(provider: Provided) -> None:
    provider(Calls([("c1", "add", {"a": "many"})]), Calls([("c2", "add", {"a": 1})]), Words(["2"]))
    turn = FakeTurn(Helper(), "Add")
    assert await answer(turn) == "2"
    assert turn.calls == [("add", {"a": 1})]


async def test_a_server_that_numbers_its_calls_anew_is_understood(provider: Provided) -> None:
    provider(Calls([("call_0", "add", {"a": 1})]), Calls([("call_0", "add", {"a": 2})]), Words(["Done."]))
    turn = FakeTurn(Helper(), "Add")
    await answer(turn)
    assert turn.calls == [("add", {"a": 1}), ("add", {"a": 2})]


async def test_several_calls_of_one_answer_are_all_made(provider: Provided) -> None:
    server = provider(Calls([("c1", "add", {"a": 1}), ("c2", "add", {"a": 2})]), Words(["Done."]))
    turn = FakeTurn(Helper(), "Add")
    await answer(turn)
    assert sorted(call[1]["a"] for call in turn.calls) == [1, 2]
    assert [message["content"] for message in server.requests[1]["messages"] if message["role"] == "tool"] == ["2", "3"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_provider_is_asked_again(provider: Provided, status: int) -> None:
    server = provider(Fails(status), Fails(status), Words(["At last."]))
    turn = FakeTurn(Helper(), "Hello")
    assert await answer(turn) == "At last."
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("failure", "words", "retryable"),
    [
        (Fails(401), "did not accept the API key", False),
        (Fails(404), "does not know the model “test-model”", False),
        (Fails(400, "Too purple."), "refused the request: Too purple.", False),
        (Fails(429, headers={"Retry-After": "3600"}), "more requests than it allows", True),
    ],
)
async def test_failures_are_explained_to_people(
    provider: Provided, failure: Fails, words: str, retryable: bool
) -> None:
    server = provider(failure)
    with pytest.raises(BrainError, match=words) as caught:
        await answer(FakeTurn(Helper(), "Hello"))
    assert caught.value.retryable is retryable
    assert len(server.requests) == 1


async def test_a_provider_that_stays_broken_is_given_up(provider: Provided) -> None:
    server = provider(Fails(500), Fails(500), Fails(500))
    with pytest.raises(BrainError, match="a fault of its own") as caught:
        await answer(FakeTurn(Helper(), "Hello"))
    assert caught.value.retryable
    assert len(server.requests) == 3


async def test_a_stream_that_breaks_is_no_answer(provider: Provided) -> None:
    provider(Words(["The answer ", "is"], cut=True))
    turn = FakeTurn(Helper(), "Hello")
    with pytest.raises(BrainError) as caught:
        await answer(turn)
    assert caught.value.retryable
    assert turn.log == []
    assert turn.text == "The answer is"


async def test_a_stream_that_ends_and_does_not_say_so_is_no_answer(provider: Provided) -> None:
    """Without chunks the end of the connection is the end of the answer, and a cut one looks like any other."""
    provider(Words(["The answer ", "is"], cut=True, chunked=False), Words(["The answer is 42."], chunked=False))
    turn = FakeTurn(Helper(), "Hello")
    with pytest.raises(BrainError, match="The answer of 127.0.0.1:[0-9]+ broke off. Try again.") as caught:
        await answer(turn)
    assert caught.value.retryable
    assert turn.log == []
    assert await answer(turn.again()) == "The answer is 42."


async def test_a_stream_that_ends_before_a_word_is_asked_for_again(provider: Provided) -> None:
    provider(Words([], cut=True, chunked=False), Words(["At last."]))
    assert await answer(FakeTurn(Helper(), "Hello")) == "At last."


async def test_nobody_listens_at_the_address(settings: Any, provider: Provided) -> None:
    provider()
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(BrainError, match="The connection to 127.0.0.1:9 failed"):
        await answer(FakeTurn(Helper(), "Hello"))


async def test_it_goes_on_after_a_crash_in_a_tool_call(provider: Provided) -> None:
    """The log ends in a call; its result may or may not be there already."""
    server = provider(Calls([("c1", "add", {"a": 1})], words="Let me see."), Fails(401), Words(["It is 2."]))
    turn = FakeTurn(Helper(), "1 + 1?")
    with pytest.raises(BrainError):
        await answer(turn)
    assert await answer(turn.again()) == "Let me see.\n\nIt is 2."
    assert turn.text == "Let me see.\n\nIt is 2."
    assert turn.calls == [("add", {"a": 1})], "a finished call must not be made again"
    assert server.requests[1]["messages"] == server.requests[2]["messages"]


async def test_words_after_the_last_saved_answer_come_anew(provider: Provided) -> None:
    provider(Words(["Half an ans"], cut=True), Words(["A whole answer."]))
    turn = FakeTurn(Helper(), "Hello")
    with pytest.raises(BrainError):
        await answer(turn)
    assert await answer(turn.again()) == turn.text == "A whole answer."


async def test_a_finished_answer_is_not_asked_for_again(provider: Provided) -> None:
    server = provider(Calls([("c1", "add", {"a": 1})]), Words(["It is 2."]))
    turn = FakeTurn(Helper(), "1 + 1?")
    first = await answer(turn)
    assert await answer(turn.again()) == first
    assert len(server.requests) == 2
    assert turn.text == first


async def test_the_turn_may_end_inside_a_tool(provider: Provided) -> None:
    provider(Calls([("c1", "leave", {}), ("c2", "add", {"a": 1})]))
    with pytest.raises(TurnEnded):
        await answer(FakeTurn(Helper(), "Go"))


async def test_a_spent_budget_stops_before_the_provider_is_asked(provider: Provided) -> None:
    server = provider()
    turn = FakeTurn(Helper(), "word " * 1000)
    turn.tokens_left = 1000
    with pytest.raises(RuntimeError, match="no tokens left"):
        await answer(turn)
    assert server.requests == []


async def test_an_answer_now_is_asked_for_without_tools(provider: Provided) -> None:
    server = provider(Words(["It is two."]))
    turn = FakeTurn(Helper(), "What is 1 + 1?")
    turn.answers_now = True
    assert await answer(turn) == "It is two."
    [request] = server.requests
    assert request["tool_choice"] == "none"
    assert "Answer now" in str(request["messages"])


async def test_a_model_that_will_not_answer_now_is_not_asked_for_ever(provider: Provided) -> None:
    server = provider(*(Calls([(f"c{number}", "add", {"a": number})]) for number in range(9)))
    turn = FakeTurn(Helper(), "What is 1 + 1?")
    turn.answers_now = True
    with pytest.raises(BrainError, match="more steps"):
        await answer(turn)
    assert len(server.requests) == 3


class Watched:
    """An answer in a task of its own, and what its runner sees when it is cancelled."""

    def __init__(self, turn: FakeTurn, *tools: Tool) -> None:
        self.seen: tuple[object, ...] | None = None
        self.task = asyncio.create_task(self._run(turn, tools))

    async def _run(self, turn: FakeTurn, tools: tuple[Tool, ...]) -> None:
        try:
            await answer(turn, *tools)
        except asyncio.CancelledError as cancelled:
            self.seen = cancelled.args

    async def cancel(self, why: str) -> tuple[object, ...] | None:
        self.task.cancel(why)
        await asyncio.wait_for(asyncio.wait([self.task]), 5)
        return self.seen


async def test_cancelling_while_words_come_leaves_at_once(provider: Provided) -> None:
    provider(Words(["word "] * 2000))
    turn = FakeTurn(Helper(), "Hello")
    watched = Watched(turn)
    await turn.spoken.wait()
    assert await watched.cancel("stopped") == ("stopped",)
    assert len(turn.pieces) < 2000


async def test_cancelling_while_a_tool_works_leaves_at_once(provider: Provided) -> None:
    begun = asyncio.Event()

    @tool
    async def sleep(turn: Any) -> str:
        """Sleep."""
        begun.set()
        await asyncio.sleep(60)
        return ""

    provider(Calls([("c1", "sleep", {})]))
    watched = Watched(FakeTurn(Helper(), "Good night"), sleep)
    await begun.wait()
    assert await watched.cancel("stopped") == ("stopped",)


async def test_cancelling_while_the_provider_is_silent_leaves_at_once(provider: Provided) -> None:
    server = provider(Silence(30))
    watched = Watched(FakeTurn(Helper(), "Hello"))
    await asyncio.to_thread(server.asked.wait, 5)
    assert await watched.cancel("stopped") == ("stopped",)


def test_the_price_is_named_where_it_is_known() -> None:
    usage = RequestUsage(input_tokens=1_000_000, output_tokens=0)
    known = ModelResponse([], model_name="claude-sonnet-5-5", provider_name="anthropic", usage=usage)
    assert price_of(known) == pytest.approx(2.0)
    unknown = ModelResponse([], model_name="llama3.2", provider_name="ollama", usage=usage)
    assert price_of(unknown) is None
