"""A process dies; another one finishes its answers, and does nothing twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from django.utils import timezone

from agents_app import runtime
from agents_app.base import ToolResult, tool
from agents_app.models import Message, Task
from agents_app.runtime import runner
from agents_app.runtime.owner import is_known_dead, this_process
from agents_app.runtime.recovery import find_orphans
from agents_app.tests.runtime.test_turns import answer
from agents_app.threads import in_thread


async def crash(room) -> None:
    """End this runtime's tasks as `kill -9` would: nothing more is saved, the leases stay."""
    await room.runtime.save_texts()
    room.runtime.journal.close()
    room.runtime.journal.append = _dead
    for job in [*room.runtime.queue._running.values(), getattr(room.runtime.queue, "_pulling", None)]:
        if job is not None:
            job.cancel()
    await asyncio.sleep(0.05)
    runtime._current = None
    room.runtime = runtime.current()
    await Task.objects.filter(state="working").aupdate(lease_until=timezone.now() - timedelta(seconds=1))


async def _dead(entry):
    raise asyncio.CancelledError


async def recover(room) -> None:
    room.runtime.listen()
    room.runtime.queue.begin()
    await room.runtime.recovery.adopt_tasks()


async def test_it_works(room, agent):
    calls, hang = [], asyncio.Event()

    @tool
    async def count(turn) -> ToolResult:
        """Count."""
        calls.append(1)
        return ToolResult(f"call {len(calls)}")

    async def work(turn):
        await turn.say("First: ")
        found = await turn.use(count)
        await turn.say(f"{found.text}. Then ")
        if not hang.is_set():
            hang.set()
            await asyncio.sleep(60)
        await turn.say("the end.")

    task = await room.ask(agent(work), "go")
    await hang.wait()
    await asyncio.sleep(0.05)
    await crash(room)
    await recover(room)
    task = await room.settle(task)
    messages = await room.said()
    assert task.state == "completed"
    assert calls == [1]
    assert [message.text for message in messages] == ["go", "First: call 1. Then the end."]
    assert messages[1].state == Message.State.COMPLETE


async def test_a_delegation_is_not_made_twice(room, agent):
    asked, hang = [], asyncio.Event()

    async def lead(turn):
        answer = await turn.ask_agent("helper", "one question")
        await turn.say(answer.text)
        if not hang.is_set():
            hang.set()
            await asyncio.sleep(60)

    async def help(turn):
        asked.append(1)
        await turn.say("Yes.")

    agent(help, "helper")
    task = await room.ask(agent(lead), "go")
    await hang.wait()
    await crash(room)
    await recover(room)
    assert (await room.settle(task)).state == "completed"
    assert asked == [1] and (await room.said())[1].text == "Yes."


async def test_whoever_delegated_goes_on_when_who_was_to_wake_it_died(room, agent, monkeypatch):
    """Between the end of what was delegated and the word to whoever waits for it."""
    ended = asyncio.Event()

    async def lead(turn):
        await turn.say((await turn.ask_agent("helper", "find out")).text)

    async def help(turn):
        await turn.say((await turn.ask("Which city?")).text)

    async def die(current, task):
        if task.parent_id is not None and task.is_terminal:
            ended.set()
            await asyncio.sleep(60)

    agent(help, "helper")
    task = await room.settle(await room.ask(agent(lead), "go"))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "wake_delegators", die)
        await answer(room, "helper", "Oslo")
        await ended.wait()
        await crash(room)
    waiting = await Task.objects.aget(id=task.id)
    assert (waiting.state, await in_thread(find_orphans)) == ("input-required", [])
    await recover(room)
    async with asyncio.timeout(20):
        while (await Task.objects.aget(id=task.id)).state != "completed":
            await asyncio.sleep(0.02)
    assert (await room.said())[1].text == "Oslo"


async def test_a_task_that_kills_its_process_each_time_is_given_up_in_words(room, agent, settings):
    settings.AGENTS_MAX_ATTEMPTS = 2
    began = asyncio.Queue()

    async def deadly(turn):
        await began.put(1)
        await asyncio.sleep(60)

    task = await room.ask(agent(deadly), "go")
    for _ in range(2):
        await began.get()
        await crash(room)
        await recover(room)
    task = await room.settle(task)
    assert task.state == "failed" and "2 times" in (await room.said())[-1].error


async def test_a_task_that_somebody_else_runs_is_not_taken(room, agent):
    async def wait(turn):
        await asyncio.sleep(60)

    task = await room.ask(agent(wait), "go")
    while not (await Task.objects.aget(id=task.id)).lease_owner:
        await asyncio.sleep(0.01)
    await Task.objects.filter(id=task.id).aupdate(lease_owner="elsewhere/ns/1/2")
    assert await in_thread(find_orphans) == []


async def test_draining_hands_over_what_does_not_finish(room, agent):
    first = asyncio.Event()

    async def long(turn):
        await turn.say("half ")
        if not first.is_set():
            first.set()
            await asyncio.sleep(60)
        await turn.say("done")

    task = await room.ask(agent(long), "go")
    await first.wait()
    await room.runtime.queue.drain(0.05)
    handed = await Task.objects.aget(id=task.id)
    assert (handed.state, handed.lease_owner, handed.attempts) == ("working", "", 0)
    runtime.forget()
    room.runtime = runtime.current()
    await recover(room)
    assert (await room.settle(task)).state == "completed"
    assert (await room.said())[-1].text == "half done"


def test_a_dead_process_of_this_machine_is_known_to_be_dead():
    me = this_process()
    here, pid, _started = me.rsplit("/", 2)
    assert not is_known_dead(me)
    assert is_known_dead(f"{here}/{pid}/1")
    assert is_known_dead(f"{here}/999999999/5")
    assert not is_known_dead(f"elsewhere/pid:[1]/{pid}/1")
    assert not is_known_dead("")
