"""A connection that is lost in the middle of a commit. SQLite has none to lose: there the same must simply hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from agents_app import signals
from agents_app.base import ToolResult, tool
from agents_app.ids import uuid7
from agents_app.models import Event, JournalHead, Message, Task
from agents_app.runtime import commit as commits
from agents_app.runtime import runner
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry, TaskChange
from agents_app.runtime.receipt import Receipt, is_full


@contextmanager
def once(do: Callable[[], None]) -> Iterator[None]:
    """Call `do` in the journal's thread, inside the next commit that has events."""
    done = False

    def receive(**_: Any) -> None:
        nonlocal done
        if not done:
            done = True
            do()

    signals.events_committing.connect(receive)
    try:
        yield
    finally:
        signals.events_committing.disconnect(receive)
    assert done


def lose_connection() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def fail() -> None:
    raise OperationalError("deadlock detected")


def lose_answer_to_commit() -> None:
    def lose() -> None:
        if connection.vendor == "postgresql":
            connection.connection.close()
            raise OperationalError("server closed the connection unexpectedly")

    transaction.on_commit(lose)


def lose_commit() -> None:
    """It is asked for, and was never done."""
    take = Receipt.take

    def take_and_lose(self: Receipt) -> None:
        Receipt.take = take  # type: ignore[method-assign]
        take(self)
        with suppress(OperationalError):
            lose_connection()

    Receipt.take = take_and_lose  # type: ignore[method-assign]


async def post(room, count: int) -> list[Any]:
    async def one() -> list[Event]:
        message = Message(context_id=room.id, role="user", text="hello", created_at=timezone.now())
        return await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))

    return await asyncio.gather(*(one() for _ in range(count)))


async def assert_saved_once(room, count: int) -> None:
    assert await Message.objects.in_context(room.id).acount() == count
    numbers = [n async for n in Event.objects.filter(context_id=room.id).order_by("seq").values_list("seq", flat=True)]
    assert numbers == list(range(1, count + 2))
    assert (await JournalHead.objects.aget(context_id=room.id)).seq == count + 1


@pytest.mark.parametrize("lose", [lose_connection, lose_answer_to_commit, lose_commit])
@pytest.mark.parametrize("count", [20, 1])
async def test_what_was_in_the_commit_is_saved_once_and_confirmed(room, lose, count):
    with once(lose):
        confirmed = await post(room, count)
    assert sorted(events[0].seq for events in confirmed) == list(range(2, 2 + count))
    await assert_saved_once(room, count)


async def test_a_commit_that_was_done_is_not_refused_by_its_own_check(room, agent):
    """It gives up the lease that its check asks for: done twice it would look as if somebody else had the task."""

    async def wait(turn):
        await asyncio.sleep(60)

    task = await room.ask(agent(wait), "hi")
    while (await Task.objects.aget(id=task.id)).state != "working":
        await asyncio.sleep(0.02)

    def mine(current: Task) -> None:
        assert current.lease_owner == room.runtime.owner

    message = Message(context_id=room.id, role="user", text="hello", created_at=timezone.now())
    change = TaskChange(task.id, {"lease_owner": "somebody else"}, mine)
    with once(lose_answer_to_commit):
        await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message], tasks=[change]))
    assert (await Task.objects.aget(id=task.id)).lease_owner == "somebody else"


async def test_a_turn_that_the_database_failed_is_begun_anew_at_once(room, agent):
    """Not when its lease has expired, and not what it had finished."""
    calls: list[str] = []

    @tool
    async def count(turn) -> ToolResult:
        """Count."""
        calls.append("called")
        return ToolResult("counted")

    async def work(turn):
        calls.append("begun")
        await turn.use(count)
        await asyncio.sleep(0.1)
        await turn.report("half of it")
        await asyncio.sleep(0.1)
        await turn.say("done")

    name = agent(work)
    task = await room.ask(name, "go")
    while calls.count("called") < 1 or not await Event.objects.filter(task=task, type="tool.finished").aexists():
        await asyncio.sleep(0.01)
    begun = asyncio.get_running_loop().time()
    with once(fail):
        task = await room.settle(task)
    assert task.state == "completed" and calls == ["begun", "called", "begun"]
    assert asyncio.get_running_loop().time() - begun < 5
    answer = await Message.objects.aget(task=task, role="agent")
    assert (answer.text, answer.state) == ("done", "complete")


async def test_what_was_said_before_a_step_that_a_later_run_finished_is_kept(room, agent):
    begun: list[int] = []

    @tool
    async def count(turn) -> ToolResult:
        """Count."""
        if len(begun) == 1:
            stack.enter_context(once(fail))  # that the step is finished is not saved
        return ToolResult("counted")

    async def work(turn):
        begun.append(1)
        await turn.say("one two ")
        await turn.use(count)
        if len(begun) == 2:
            raise OperationalError("deadlock detected")
        await turn.say("three")

    with ExitStack() as stack:
        task = await room.settle(await room.ask(agent(work), "go"))
    assert len(begun) == 3
    assert (await Message.objects.aget(task=task, role="agent")).text == "one two three"


async def test_a_turn_that_the_database_always_fails_ends_with_words(room, agent):
    async def work(turn):
        await turn.say("x")
        raise OperationalError("database is locked")

    task = await room.settle(await room.ask(agent(work), "go"))
    assert task.state == "failed" and task.status_text == "Tester began 3 times and never came to an end."


async def test_a_full_disk_is_no_attempt_of_an_agent(room, agent, monkeypatch, settings):
    monkeypatch.setattr(runner, "FULL_SECONDS", 0.05)
    begun: list[float] = []

    async def work(turn):
        begun.append(asyncio.get_running_loop().time())
        await turn.say("x")
        if len(begun) <= settings.AGENTS_MAX_ATTEMPTS + 2:
            raise OperationalError('could not extend file "base/1/2": No space left on device')

    task = await room.settle(await room.ask(agent(work), "go"))
    assert (task.state, task.attempts) == ("completed", 1)
    assert begun[-1] - begun[0] > 0.05 * settings.AGENTS_MAX_ATTEMPTS


async def test_a_disk_too_full_to_give_a_lease_back_delays_a_task_no_longer_than_that(
    room, agent, monkeypatch, settings
):
    monkeypatch.setattr(runner, "FULL_SECONDS", 0.05)
    is_full_now = False
    refused: list[int] = []

    def commit(batch):
        if is_full_now:
            refused.append(len(batch))
            raise OperationalError("database or disk is full")
        really_commit(batch)

    def make_room() -> None:
        nonlocal is_full_now
        is_full_now = False

    async def work(turn):
        nonlocal is_full_now
        if not refused:
            is_full_now = True
            asyncio.get_running_loop().call_later(0.3, make_room)
        await turn.say("x")

    really_commit = commits.commit
    monkeypatch.setattr(commits, "commit", commit)
    async with asyncio.timeout(settings.AGENTS_LEASE_SECONDS / 2):
        task = await room.settle(await room.ask(agent(work), "go"))
    assert (task.state, task.attempts) == ("completed", 1) and len(refused) >= 3


def test_a_full_disk_is_told_from_other_failures():
    assert is_full(OperationalError("database or disk is full"))
    assert is_full(OperationalError('could not extend file "base/1/2": No space left on device'))
    assert not is_full(OperationalError("database is locked"))


async def test_of_a_task_that_could_not_be_saved_nothing_is_kept(room):
    """Who waits for its end is told why, and the runtime waits for it no longer."""
    task_id = uuid7()
    settled = room.runtime.when_settled(task_id)
    settled.set_exception(OperationalError("the disk is full"))
    with pytest.raises(OperationalError):
        await room.runtime.until_settled(task_id, settled, 1)
    assert task_id not in room.runtime._ends
