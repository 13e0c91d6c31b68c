"""Down is not lost."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents_app import registry
from agents_app.a2a.client import health
from agents_app.a2a.client.tests.conftest import ID
from agents_app.a2a.client.tests.elsewhere import answer, text
from agents_app.a2a.client.tests.test_remote_tasks import _crash, _endless, until, words
from agents_app.actions.agents import register_agents
from agents_app.actions.remote_agents import accept_changed_card
from agents_app.actions.tasks import cancel_task
from agents_app.base import Agent
from agents_app.models import Event, RemoteAgent, RemoteTask, Task
from agents_app.runtime.recovery import find_orphans
from agents_app.threads import in_thread


async def parked(task: Task) -> Task:
    async def waits() -> bool:
        return await Task.objects.filter(id=task.id, lease_owner="parked").aexists()

    await until(waits)
    return await Task.objects.aget(id=task.id)


async def test_it_works(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    assert task.state == "submitted"
    assert task.status_text.startswith("Waiting for Weather Bot, which has not answered since ")
    assert task.status_text.endswith(" UTC.")
    there.start()
    task = await room.settle(task)
    assert (task.state, await words(room)) == ("completed", ["It will rain tomorrow."])
    assert len(there.executed) == 1
    assert (await RemoteTask.objects.aget(task=task)).waiting_since is None
    remote = await RemoteAgent.objects.aget()
    assert (remote.down_since, remote.failures, remote.last_error) == (None, 0, "")


async def test_the_event_says_since_when_it_waits(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    last = await Event.objects.filter(task=task, type="task.status").order_by("-seq").afirst()
    row = await RemoteTask.objects.aget(task=task)
    assert last.data["waiting_since"] == row.waiting_since.isoformat()


async def test_nothing_of_a_waiting_task_is_in_memory_and_nobody_takes_it_up(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))

    async def unwound() -> bool:
        return not room.runtime.queue.running()

    await until(unwound)
    assert await in_thread(find_orphans) == []
    room.runtime.queue.put(task.id)
    await until(unwound)
    assert (await Task.objects.aget(id=task.id)).lease_owner == "parked"


async def test_the_wait_takes_nothing_of_the_time_for_the_answer(server, add, room, settings):
    settings.AGENTS_TURN_SECONDS = 1
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    assert "deadline" not in task.budget
    await asyncio.sleep(1.1)
    there.start()
    assert (await room.settle(task)).state == "completed"


async def test_messages_wait_in_their_order(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    first = await parked(await room.ask(ID, "One"))
    second = await room.ask(ID, "Two")
    there.start()
    await room.settle(second)
    assert (await Task.objects.aget(id=first.id)).state == "completed"
    assert [b'"One"' in seen.body for seen in there.sent("SendStreamingMessage")] == [True, False]


async def test_a_waiting_task_can_be_stopped(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    await cancel_task(task)
    assert (await Task.objects.aget(id=task.id)).state == "canceled"
    there.start()

    async def forgotten() -> bool:
        return not await RemoteTask.objects.filter(waiting_since__isnull=False).aexists()

    await until(forgotten)
    assert there.executed == []


async def test_a_stop_that_could_not_be_told_is_told_when_it_is_back(server, add, room):
    there = server(_endless)
    await add(there)
    task = await room.ask(ID, "Think")

    async def accepted() -> bool:
        return await RemoteTask.objects.filter(task=task).exclude(remote_task_id="").aexists()

    await until(accepted)
    there.stop()
    await cancel_task(await Task.objects.aget(id=task.id))

    async def remembered() -> bool:
        return await RemoteTask.objects.filter(waiting_since__isnull=False).aexists()

    await until(remembered)
    there.start()

    async def stopped() -> bool:
        return len(there.cancelled) == 1

    await until(stopped)


async def test_an_agent_that_goes_down_in_the_middle_is_heard_to_the_end_when_it_is_back(server, add, room):
    gone = asyncio.Event()

    async def play(context: Any, updater: Any) -> None:
        await updater.add_artifact(text("Half "), artifact_id="a")
        room_loop.call_soon_threadsafe(gone.set)
        await asyncio.sleep(0.5)
        await updater.add_artifact(text("and half."), artifact_id="a", append=True)
        await updater.complete()

    room_loop = asyncio.get_running_loop()
    there = server(play)
    await add(there)
    task = await room.ask(ID, "Slowly")
    await gone.wait()
    there.stop()
    await parked(task)
    there.start()
    assert (await room.settle(task)).state == "completed"
    assert (await words(room), len(there.executed)) == (["Half and half."], 1)


async def test_whoever_delegated_waits_as_well(server, add, room):
    class Asker(Agent):
        id, name, description = "asker", "Asker", "Asks."

        async def respond(self, turn):
            await turn.say((await turn.ask_agent(ID, "Will it rain?")).text)

    registry.add(Asker)
    try:
        await in_thread(register_agents)
        there = server(answer)
        await add(there)
        there.stop()
        task = await parked(await room.ask("asker", "Ask"))
        assert task.status_text.startswith("Waiting for Weather Bot")
        there.start()
        assert (await room.settle(task)).state == "completed"
    finally:
        registry.remove("asker")
    assert "It will rain tomorrow." in await words(room)


@pytest.mark.parametrize("status", [429, 503])
async def test_an_agent_that_says_later_is_asked_later(server, add, room, status):
    there = server(answer)
    await add(there)
    there.status = status
    task = await parked(await room.ask(ID, "Will it rain?"))
    there.status = None
    assert (await room.settle(task)).state == "completed"


async def test_tasks_that_break_off_together_are_one_failure(server, add):
    there = server(answer)
    remote = await add(there)
    there.stop()
    for _ in range(20):
        noted = await in_thread(health.note_failure, remote.agent_id, "It broke off.")
    assert noted.failures == 1
    await health.check(remote)
    remote = await RemoteAgent.objects.aget()
    assert remote.failures == 2 and remote.down_since


async def test_it_is_asked_ever_more_rarely(server, add, monkeypatch):
    monkeypatch.setattr(health, "FIRST_RETRY_SECONDS", 2.0)
    assert [health.retry_seconds(failures) for failures in (1, 2, 3, 99)] == [2, 4, 8, 300]
    there = server(answer)
    remote = await add(there)
    there.stop()
    await health.check(remote)
    down = await RemoteAgent.objects.aget()
    await health.check(remote)
    later = await RemoteAgent.objects.aget()
    assert (down.failures, later.failures) == (1, 2)
    assert later.down_since == down.down_since
    assert later.last_error == "127.0.0.1 cannot be reached."
    assert timedelta(seconds=3) < later.check_at - timezone.now() < timedelta(seconds=4)


async def test_only_one_process_looks_at_a_time(server, add):
    there = server(answer)
    await add(there)
    read = there.cards
    await asyncio.gather(health.check_due(), health.check_due(), health.check_due())
    assert there.cards == read + 1


async def test_a_changed_card_is_put_on_hold(server, add, room, grace):
    there = server(answer)
    remote = await add(there)
    there.extra = {"description": "Knows your secrets."}
    await health.check(remote)
    assert (await RemoteAgent.objects.aget()).is_on_hold
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert task.state == "rejected"
    assert task.status_text.startswith("Weather Bot has changed what it says about itself.")
    assert there.executed == []
    changed = await RemoteAgent.objects.select_related("agent").aget()
    await in_thread(accept_changed_card, grace, changed)
    assert (await RemoteAgent.objects.select_related("agent").aget()).agent.description == "Knows your secrets."
    assert (await room.settle(await room.ask(ID, "Will it rain?"))).state == "completed"


async def test_a_card_that_changes_back_is_held_no_longer(server, add):
    there = server(answer)
    remote = await add(there)
    there.extra = {"description": "Knows your secrets."}
    await health.check(remote)
    there.extra = {}
    await health.check(remote)
    assert not (await RemoteAgent.objects.aget()).is_on_hold


async def test_what_waits_for_an_agent_that_comes_back_changed_waits_on(server, add, room, grace):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    there.extra = {"version": "2"}
    there.start()

    async def held() -> bool:
        return await RemoteAgent.objects.filter(pending_card__isnull=False).aexists()

    await until(held)
    await asyncio.sleep(0.2)
    assert (await Task.objects.aget(id=task.id)).lease_owner == "parked"
    changed = await RemoteAgent.objects.select_related("agent").aget()
    await in_thread(accept_changed_card, grace, changed)
    assert (await room.settle(task)).state == "completed"


async def _lost(there: Any, room: Any, task: Task) -> None:
    """This process ends after the message has arrived there, and before the first answer is here."""

    await until(lambda: _is_there(there))
    await _crash(room, task, before_it_is_adopted=_forget)


async def _forget(task: Task) -> None:
    """The answer may have been here in time; then it was not."""
    await in_thread(RemoteTask.objects.filter(task=task).update, remote_task_id="")


async def test_what_was_finished_meanwhile_is_heard_whole(server, add, room):
    """The list in which the task is found leaves out what it has made."""
    go_on, finished = threading.Event(), threading.Event()

    async def play(context: Any, updater: Any) -> None:
        while not go_on.is_set():
            await asyncio.sleep(0.02)
        await answer(context, updater)
        finished.set()

    async def finish(task: Task) -> None:
        await _forget(task)
        go_on.set()
        assert await asyncio.to_thread(finished.wait, 10)
        await asyncio.sleep(0.3)  # until it is in its list as well

    there = server(play)
    await add(there)
    task = await room.ask(ID, "Will it rain?")
    await until(lambda: _is_there(there))
    await _crash(room, task, before_it_is_adopted=finish)
    assert (await room.settle(task)).state == "completed"
    assert (await words(room), len(there.executed)) == (["It will rain tomorrow."], 1)


async def _is_there(there: Any) -> bool:
    return len(there.executed) == 1


@pytest.mark.parametrize(("binding", "version"), [("JSONRPC", "0.3"), ("HTTP+JSON", "0.3")])
async def test_what_may_have_arrived_is_not_sent_again_where_nobody_can_say(server, add, room, binding, version):
    there = server(_endless, binding=binding, version=version)
    await add(there)
    task = await room.ask(ID, "Book a flight")
    await _lost(there, room, task)
    task = await room.settle(task)
    assert task.state == "failed"
    assert "cannot say whether it has it. It was not sent a second time" in task.status_text
    assert len(there.executed) == 1


async def test_that_it_is_sent_is_saved_before_it_is_sent(server, add, room):
    there = server(answer)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    row = await RemoteTask.objects.aget(task=task)
    assert row.sent_at and task.created_at < row.sent_at < task.updated_at


@pytest.mark.parametrize("binding", ["JSONRPC", "GRPC"])
async def test_what_certainly_did_not_arrive_is_sent_later(server, add, room, binding):
    """Also by 0.3's rules: a connection that was refused has carried nothing."""
    there = server(answer, binding=binding)
    await add(there)
    if binding == "GRPC":
        there.run(there.grpc.stop(0))
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    assert (await RemoteTask.objects.aget(task=task)).sent_at is None


async def test_what_never_arrived_is_not_in_its_list_and_is_sent(server, add, room):
    there = server(answer)
    await add(there)
    there.stop()
    task = await parked(await room.ask(ID, "Will it rain?"))
    await RemoteTask.objects.aupdate(sent_at=timezone.now())  # this process died before a byte of it had left
    there.start()
    assert (await room.settle(task)).state == "completed"
    assert len(there.executed) == 1 and there.sent("ListTasks")
