"""What really happens in a runtime, and what is counted of it."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from agents_app import runtime
from agents_app.a2a.application import Edge
from agents_app.a2a.jsonrpc import STREAMS, UNARY
from agents_app.a2a.operation_names import OPERATIONS
from agents_app.base import Tool, ToolError, ToolResult
from agents_app.models import TaskState
from metrics import registry
from metrics.counting import ErrorCounter
from metrics.http import CountedHttp, area_of
from metrics.tests.cast import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def value(name: str, **labels: str) -> float:
    return registry.REGISTRY.get_sample_value(name, labels) or 0.0


class Growth:
    """How much a figure grew since it was first asked for."""

    def __init__(self, name: str, **labels: str) -> None:
        self._of = (name, labels)
        self._before = value(name, **labels)

    def now(self) -> float:
        return value(self._of[0], **self._of[1]) - self._before

    async def to(self, wanted: float) -> None:
        """A commit is known to callers before listeners have counted it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.now() < wanted:
                await asyncio.sleep(0.01)
        assert self.now() == wanted


@pytest.fixture
async def started(transactional_db):
    await runtime.start()
    yield
    await runtime.stop()


async def test_it_works(started, room, agent):
    ended = Growth("tkr_tasks_total", agent="counted", state="completed")
    answers = Growth("tkr_answer_seconds_count", agent="counted")
    first = Growth("tkr_first_piece_seconds_count", agent="counted")
    commits = Growth("tkr_journal_commit_seconds_count")

    async def respond(turn):
        await turn.say("one ")
        await asyncio.sleep(0.05)
        await turn.say("two")

    task = await room.settle(await room.ask(agent(respond, "counted"), "Hello"))

    assert task.state == TaskState.COMPLETED
    for growth in (ended, answers, first):
        await growth.to(1)
    assert commits.now() >= 3
    assert value("tkr_answer_seconds_sum", agent="counted") < 30


async def test_tokens_are_counted_once(started, room, agent):
    tokens = Growth("tkr_tokens_total", agent="thinker", brain="sage-1", direction="output")
    price = Growth("tkr_price_dollars_total", agent="thinker", brain="sage-1")

    async def respond(turn):
        await turn.say("42")
        turn.answer.usage |= {"model": "sage-1", "input_tokens": 9, "output_tokens": 5, "price": 0.25}

    await room.settle(await room.ask(agent(respond, "thinker"), "Hello"))

    await tokens.to(5)
    await price.to(0.25)


async def test_tools_by_how_they_end(started, room, agent):
    ok = Growth("tkr_tool_seconds_count", tool="dice", outcome="ok")
    failed = Growth("tkr_tool_seconds_count", tool="dice", outcome="failed")

    async def roll(turn, wrong: bool) -> ToolResult:
        """Rolls a die."""
        if wrong:
            raise ToolError("It fell off the table.")
        return ToolResult("4")

    dice = Tool(roll, "dice", "Rolls a die.")

    async def respond(turn):
        await turn.use(dice, wrong=False)
        with pytest.raises(ToolError):
            await turn.use(dice, wrong=True)

    await room.settle(await room.ask(agent(respond, "gambler"), "Roll"))

    await ok.to(1)
    await failed.to(1)


async def test_one_agent_asking_another(started, room, agent):
    asked = Growth("tkr_delegation_seconds_count", agent="Answerer", outcome="ok")

    async def answer(turn):
        await turn.say("Yes.")

    agent(answer, "answerer")

    async def respond(turn):
        await turn.ask_agent("answerer", "Is it?")
        await turn.say("It is.")

    await room.settle(await room.ask(agent(respond, "asker"), "Is it?"))

    await asked.to(1)


async def test_a_person_who_takes_long_makes_no_agent_slow(started, room, agent):
    answers = Growth("tkr_answer_seconds_count", agent="curious")
    waits = asyncio.Event()

    async def respond(turn):
        await turn.ask("Which?")
        waits.set()

    task = await room.settle(await room.ask(agent(respond, "curious"), "Do it"))

    assert task.state == TaskState.INPUT_REQUIRED
    assert answers.now() == 0


async def call(application, path: str, method: str = "POST", body: bytes = b"") -> int:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "http_version": "1.1",
        "root_path": "",
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return next(message["status"] for message in sent if message["type"] == "http.response.start")


async def test_calls_over_a2a_and_what_callers_invent(started, agent, settings):
    settings.A2A_ANONYMOUS = "on"

    async def respond(turn):
        await turn.say("Hello.")

    id = agent(respond, "called")
    refused = Growth("tkr_a2a_calls_total", binding="JSONRPC", operation="other", outcome="refused")
    get = Growth("tkr_a2a_calls_total", binding="JSONRPC", operation="GetTask", outcome="refused")
    requests = Growth("tkr_http_requests_total", area="a2a", method="POST", status="200")
    edge = CountedHttp(Edge(None))
    for name in ("Invented1", "Invented2", "GetTask"):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": {"id": "none"}}).encode()
        await call(edge, f"/a2a/{id}/", body=body)

    assert (refused.now(), get.now()) == (2, 1)
    assert requests.now() == 3


def test_every_operation_has_its_name():
    assert {*UNARY, *STREAMS} == OPERATIONS


def test_areas_are_few():
    assert area_of("/api/v1/conversations") == "api"
    assert area_of("/.well-known/agent-card.json") == "a2a"
    assert {area_of(f"/{number}/secret") for number in range(50)} == {"pages"}


@pytest.fixture
def error_counter():
    """Begun with the process, and taken away when a test has set up logging anew."""
    root = logging.getLogger()
    if not any(isinstance(handler, ErrorCounter) for handler in root.handlers):
        root.addHandler(ErrorCounter())


def test_errors_in_the_log(error_counter):
    ours = Growth("tkr_errors_total", app="chat")
    others = Growth("tkr_errors_total", app="other")
    logging.getLogger("chat.somewhere").error("It broke.")
    logging.getLogger("chat.somewhere").warning("It did not.")
    logging.getLogger("somebody.elses").error("It broke, too.")

    assert (ours.now(), others.now()) == (1, 1)
