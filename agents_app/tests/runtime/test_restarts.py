"""What hangs is restarted by an operator, and an agent that ignores it holds nothing."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from agents_app import runtime
from agents_app.actions.restarts import NotRunning, restart_agent, restart_task
from agents_app.actions.tasks import cancel_task
from agents_app.base import ToolResult, tool
from agents_app.models import Agent, Event, Message, Task
from agents_app.runtime import queue as queue_module
from agents_app.runtime.restarting import hung, running
from agents_app.threads import in_thread


@pytest.fixture(autouse=True)
async def leases(room):
    """As a server has it."""

    async def keep() -> None:
        while True:
            await room.runtime.recovery.keep_leases()
            await asyncio.sleep(0.05)

    keeping = asyncio.create_task(keep())
    yield
    keeping.cancel()


class Deaf:
    """An agent's code that hangs: `hang` swallows every cancellation, until it is freed."""

    def __init__(self) -> None:
        self.began, self.freed, self.runs = asyncio.Event(), asyncio.Event(), 0

    async def wait(self, turn) -> None:
        """Of an agent that hangs, and lets itself be cancelled."""
        self.runs += 1
        self.began.set()
        await asyncio.sleep(60)

    async def hang(self) -> None:
        self.began.set()
        while not self.freed.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()


@pytest.fixture
async def deaf():
    made = Deaf()
    yield made
    made.freed.set()
    await asyncio.sleep(0.1)


async def found(task):
    return await Task.objects.select_related("agent").aget(id=task.id)


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def restart(task, **options) -> list[Task]:
    return await in_thread(restart_agent, (await found(task)).agent, **options)


async def test_it_works(room, agent, deaf):
    """It goes on behind its last finished step, in the same message, and what the old run still says is not seen."""
    calls, late = [], []

    @tool
    async def count(turn) -> ToolResult:
        """Count."""
        calls.append(1)
        return ToolResult(f"call {len(calls)}")

    async def work(turn):
        deaf.runs += 1
        first = deaf.runs == 1
        await turn.say("First: ")
        found = await turn.use(count)
        await turn.say(f"{found.text}. Then ")
        if first:
            await deaf.hang()
            for late_word in (turn.say, turn.report, turn.add_artifact):
                with pytest.raises(asyncio.CancelledError):
                    await late_word("too late")
                late.append(late_word.__name__)
            return
        await turn.say("the ")
        deaf.freed.set()
        await asyncio.sleep(0.2)
        await turn.say("end.")

    task = await room.ask(agent(work), "go")
    await deaf.began.wait()
    assert [one.id for one in await restart(task, everything=True)] == [task.id]
    task = await room.settle(task)
    await asyncio.sleep(0.1)
    assert (task.state, task.attempts, calls) == ("completed", 1, [1]), "an operator's restart is no failed attempt"
    assert [message.text for message in await room.said()] == ["go", "First: call 1. Then the end."]
    assert late == ["say", "report", "add_artifact"]
    versions = [event.version async for event in Event.objects.filter(task=task).order_by("version")]
    assert versions == list(range(1, len(versions) + 1))
    entry = await AuditEntry.objects.aget(action="task.restarted")
    assert entry.about.endswith(str(task.id)) and entry.details["agent"] == "tester"


async def test_the_old_run_neither_appends_nor_closes(room, agent, deaf):
    """Both stream one message. The words of the old one must not get between those of the new one."""

    async def work(turn):
        deaf.runs += 1
        if deaf.runs == 1:
            await turn.say("old ")
            answer = turn.answer
            await deaf.hang()
            await answer.say("late ")  # past every check
            await answer.show()
            answer.close()
            said.set()
        else:
            await turn.say("new ")
            deaf.freed.set()
            await said.wait()
            await turn.say("words")

    said = asyncio.Event()
    pieces = []

    async def hear(heard):
        pieces.extend(heard)

    room.runtime.live.subscribe(hear)
    task = await room.ask(agent(work), "go")
    await deaf.began.wait()
    await restart(task, everything=True)
    assert (await room.settle(task)).state == "completed"
    assert (await room.said())[-1].text == "new words"
    heard = "".join(piece.text for piece in pieces)  # the last words may come with the end of the message alone
    assert heard.startswith("old new ") and "old new words".startswith(heard)


async def test_what_seems_to_hang_is_found(room, agent, settings, deaf):
    settings.AGENTS_HUNG_SECONDS = 1

    async def silent(turn):
        deaf.began.set()
        await asyncio.sleep(60)

    async def lively(turn):
        while True:
            await turn.say("la ")
            await asyncio.sleep(0.1)

    async def asking(turn):
        await turn.ask_agent("silent", "go")

    sleeper, singer = agent(silent, "silent"), agent(lively, "lively")
    tasks = [await room.ask(id, "go") for id in (agent(asking, "asking"), singer)]
    await deaf.began.wait()
    await asyncio.sleep(1.5)
    seen = await in_thread(lambda: [task.agent_id for task in hung()])
    assert seen == [sleeper], "neither who talks, nor who waits for the one that hangs"
    assert {task.agent_id async for task in running()} == {"silent", "lively", "asking"}
    for task in tasks:
        await cancel_task(await found(task))


async def test_only_what_hangs_is_restarted_unless_asked_for(room, agent, deaf):
    task = await room.ask(agent(deaf.wait), "go")
    await deaf.began.wait()
    assert await restart(task) == []
    await until(lambda: restart_when_silent(task))
    await until(lambda: _is(deaf.runs == 2))
    assert [one.id for one in await restart(task, task_id=task.id)] == [task.id]
    await until(lambda: _is(deaf.runs == 3))
    await cancel_task(await found(task))


async def restart_when_silent(task) -> bool:
    """Its beginning is a sign of life, too, and may be noted only now."""
    await Task.objects.filter(id=task.id).aupdate(alive_at=timezone.now() - timedelta(minutes=5))
    return [one.id for one in await restart(task)] == [task.id]


async def _is(value):
    return value


async def test_the_run_that_was_seen_is_restarted_once(room, agent, deaf):
    """Two operators press at once."""

    task = await room.ask(agent(deaf.wait), "go")
    await deaf.began.wait()
    await asyncio.sleep(0.1)
    seen = await found(task)
    await in_thread(restart_task, seen)
    with pytest.raises(NotRunning):
        await in_thread(restart_task, seen)
    await until(lambda: _is(deaf.runs == 2))
    await cancel_task(await found(task))
    with pytest.raises(NotRunning):
        await in_thread(restart_task, await found(task))


async def test_its_time_begins_anew(room, agent, deaf):
    deadlines = []

    async def wait(turn):
        deadlines.append(turn.task.budget["deadline"])
        deaf.began.set()
        if len(deadlines) == 1:
            await asyncio.sleep(60)

    task = await room.ask(agent(wait), "go")
    await deaf.began.wait()
    await restart(task, everything=True)
    await room.settle(task)
    assert len(deadlines) == 2 and deadlines[0] < deadlines[1]


async def test_a_stop_that_is_ignored_frees_the_place_and_the_line(room, agent, deaf):
    """Of an agent that may do one thing at once, in the same conversation."""

    async def work(turn):
        deaf.runs += 1
        if deaf.runs == 1:
            await deaf.hang()
        await turn.say("next")

    id = agent(work)
    await Agent.objects.filter(id=id).aupdate(at_once=1)
    first = await room.ask(id, "one")
    await deaf.began.wait()
    second = await room.ask(id, "two")
    await cancel_task(await found(first))
    assert (await found(first)).state == "canceled"
    async with asyncio.timeout(5):
        assert (await room.settle(second)).state == "completed"
    await until(lambda: _is(room.runtime.queue.running() == []))
    assert not deaf.freed.is_set()


async def test_a_thread_that_hangs_holds_no_place_either(room, agent):
    hang, runs = threading.Event(), []

    async def work(turn):
        runs.append(1)
        if len(runs) == 1:
            await asyncio.to_thread(hang.wait, 60)
        await turn.say("went on")

    task = await room.ask(agent(work), "go")
    await until(lambda: _is(runs))
    await restart(task, everything=True)
    assert (await room.settle(task)).state == "completed" and (await room.said())[-1].text == "went on"
    hang.set()


async def test_draining_does_not_wait_for_who_ignores_it(room, agent, deaf, monkeypatch):
    monkeypatch.setattr(queue_module, "LET_GO_SECONDS", 0.2)

    async def work(turn):
        await turn.say("half ")
        await turn.report("working")
        await deaf.hang()

    task = await room.ask(agent(work), "go")
    await deaf.began.wait()
    async with asyncio.timeout(3):
        await room.runtime.queue.drain(0.05)
    handed = await found(task)
    assert (handed.state, handed.lease_owner, handed.attempts) == ("working", "", 0)
    assert (await room.said())[-1].text == "half "


async def test_a_process_that_stood_still_does_not_write_over_a_finished_answer(room, agent, deaf):
    """Its lease expired, another one has finished the answer, and now it would save what it had said by then."""
    go_on = asyncio.Event()

    async def work(turn):
        await turn.say("old text")
        deaf.began.set()
        await go_on.wait()

    task = await room.ask(agent(work), "go")
    await deaf.began.wait()
    await until(lambda: Message.objects.filter(task=task, state="streaming").aexists())
    await Task.objects.filter(id=task.id).aupdate(state="completed", lease_owner="", lease_until=None)
    await Message.objects.filter(task=task).aupdate(text="the whole answer", state="complete")
    await room.runtime.save_texts()
    go_on.set()
    await asyncio.sleep(0.2)
    assert (await room.said())[-1].text == "the whole answer"
    assert runtime.count_running() == 0
