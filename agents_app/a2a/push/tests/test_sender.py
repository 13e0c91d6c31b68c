"""From an event in the journal to a receiver, through failures, crashes and rivals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.utils import timezone

from agents_app import runtime, signals
from agents_app.a2a.push import sender
from agents_app.a2a.push.configs import config_row, create_config, delete_config
from agents_app.a2a.push.deliveries import LONGEST_DELAY_SECONDS, claim_next, delay_after, record, send_again
from agents_app.a2a.push.sender import Sender
from agents_app.a2a.push.tests.conftest import due, end, make_task, tell
from agents_app.a2a.push.tests.receiver import receive_notifications
from agents_app.actions.contexts import forget_context
from agents_app.actions.tasks import TaskWrites, begin_task
from agents_app.ids import uuid7
from agents_app.models import Agent, JournalHead, Message, PushAttempt, PushConfig, PushDelivery, TaskState
from agents_app.runtime.facts import created_fact, status_fact
from agents_app.runtime.journal import Entry, Fact, Journal
from agents_app.threads import in_thread


async def deliveries() -> list[PushDelivery]:
    return await in_thread(list, PushDelivery.objects.order_by("config_id", "version"))


async def until_states(*states: str) -> list[PushDelivery]:
    """Wait until the outbox looks like this."""
    async with asyncio.timeout(10):
        while True:
            found = await deliveries()
            if [delivery.state for delivery in found] == list(states):
                return found
            await asyncio.sleep(0.02)


async def test_it_works(task, receiver, sending):
    authentication = {"scheme": "Bearer", "credentials": "s3cret"}
    json = {"url": f"{receiver.url}/hook?a=1", "token": "t0ken", "authentication": authentication}
    await create_config(task, json)
    [event] = await tell(task, "completed")
    [got] = await receiver.until(1)
    assert got.path == "/hook"
    assert got.headers["content-type"] == "application/a2a+json"
    assert got.headers["x-a2a-notification-token"] == "t0ken"
    assert got.headers["authorization"] == "Bearer s3cret"
    assert got.headers["a2a-version"] == "1.0"
    update = got.body["statusUpdate"]
    assert update["taskId"] == str(task.id) and update["contextId"] == str(task.context_id)
    assert update["status"]["state"] == "TASK_STATE_COMPLETED" and update["status"]["timestamp"].endswith("Z")
    [delivery] = await until_states("sent")
    assert (delivery.version, delivery.tries) == (event.version, 1)
    attempt = await PushAttempt.objects.aget()
    assert (attempt.status, attempt.error) == (200, "")


async def test_a_configuration_without_secrets_sends_none(task, receiver, sending):
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    [got] = await receiver.until(1)
    assert not {"authorization", "x-a2a-notification-token"} & got.headers.keys()


async def test_a_configuration_in_the_message_hears_of_its_task_from_the_first_event(
    transactional_db, receiver, sending
):
    await Agent.objects.acreate(id="tester", name="Tester")
    request = Message(context_id=uuid7(), role=Message.Role.USER, text="hello", created_at=timezone.now())
    writes = TaskWrites(new=[request], facts=[created_fact(request)])
    task = begin_task(writes, request, "tester", None)
    writes.new.append(await config_row(task, {"url": receiver.url}))
    head = JournalHead(context_id=task.context_id)
    await runtime.current().journal.append(Entry(task.context_id, writes.facts, writes.new, opens=head))
    await tell(task, "working", "completed")
    await receiver.until(3)
    assert receiver.states == ["submitted", "working", "completed"]


async def test_every_configuration_of_a_task_is_told_and_no_other(task, receiver, sending):
    other = await make_task()
    await create_config(task, {"url": f"{receiver.url}/a"})
    await create_config(task, {"url": f"{receiver.url}/b"})
    await create_config(other, {"url": f"{receiver.url}/other"})
    await tell(task, "working")
    await until_states("sent", "sent")
    assert sorted(got.path for got in receiver.got) == ["/a", "/b"]


async def test_what_a2a_has_no_word_for_is_not_sent(task, receiver, sending):
    await create_config(task, {"url": receiver.url})
    said = Message(context_id=task.context_id, role="user", text="more", task=task, created_at=timezone.now())
    await runtime.current().journal.append(Entry(task.context_id, [created_fact(said)], [said]))
    await tell(task, "completed")
    await until_states("sent")
    assert receiver.states == ["completed"]


async def test_nothing_is_written_for_a_commit_that_fails(task):
    await create_config(task, {"url": "http://127.0.0.1:9/"})

    def refuse(events: Iterable, **_: object) -> None:
        raise RuntimeError("the last receiver says no")

    signals.events_committing.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            await tell(task, "working")
    finally:
        signals.events_committing.disconnect(refuse)
    assert await deliveries() == []


# Order


async def test_a_later_event_waits_for_an_earlier_one_that_failed(task, receiver, sending):
    receiver.answers = [500, 503]
    await create_config(task, {"url": receiver.url})
    await tell(task, "working", "input-required", "working", "completed")
    await until_states("sent", "sent", "sent", "sent")
    assert receiver.states == ["working"] * 3 + ["input-required", "working", "completed"]
    statuses = await in_thread(list, PushAttempt.objects.order_by("id").values_list("status", flat=True))
    assert statuses == [500, 503, 200, 200, 200, 200]


async def test_a_receiver_that_fails_does_not_hold_up_the_others(task, receiver, sending, settings):
    settings.A2A_PUSH_RETRY_SECONDS = 60
    async with receive_notifications() as broken:
        broken.answers = [500]
        await create_config(task, {"id": "broken", "url": broken.url})
        await create_config(task, {"id": "well", "url": receiver.url})
        await tell(task, "working", "completed")
        await receiver.until(2)
    assert receiver.states == ["working", "completed"]
    assert broken.states == ["working"]


async def test_many_are_posted_to_at_the_same_time_but_not_too_many(task, receiver, settings, monkeypatch):
    monkeypatch.setattr(sender, "LANES", 3)
    receiver.pause_seconds = 0.1
    for _ in range(6):
        await create_config(task, {"url": receiver.url})
    await tell(task, "completed")
    work = asyncio.create_task(Sender().run())
    await receiver.until(6)
    await end(work)
    assert receiver.most_at_once == 3


# Failing


def test_the_wait_doubles_up_to_an_hour(settings):
    settings.A2A_PUSH_RETRY_SECONDS = 5
    for tries, middle in ((1, 5), (2, 10), (5, 80), (40, LONGEST_DELAY_SECONDS), (5000, LONGEST_DELAY_SECONDS)):
        assert all(0.79 * middle < delay_after(tries) < 1.21 * middle for _ in range(50))


def test_the_tries_of_the_defaults_last_about_a_day(settings):
    settings.A2A_PUSH_RETRY_SECONDS = 5
    total = sum(delay_after(tries) for tries in range(1, settings.A2A_PUSH_MAX_TRIES))
    assert 18 * 3600 < total < 30 * 3600


async def test_what_failed_is_due_later_with_all_that_waits_behind_it(task, settings):
    settings.A2A_PUSH_RETRY_SECONDS = 100
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await tell(task, "working", "completed")
    before = timezone.now()
    [config_id] = await due()
    delivery = await in_thread(claim_next, config_id)
    await in_thread(record, delivery, PushAttempt(delivery=delivery, at=before, error="broke off"))
    first, second = await deliveries()
    assert timedelta(seconds=79) < first.due_at - before < timedelta(seconds=121)
    assert second.due_at == first.due_at and first.lease_until is None
    assert await due() == [] and await in_thread(claim_next, config_id) is None


async def test_after_the_last_try_it_is_a_dead_letter_and_the_next_gets_one_try(task, receiver, sending, settings):
    settings.A2A_PUSH_MAX_TRIES = 3
    receiver.answers = [500] * 4
    await create_config(task, {"url": receiver.url})
    await tell(task, "working", "input-required", "completed")
    first, second, third = await until_states("dead", "dead", "sent")
    assert (first.tries, second.tries, third.tries) == (3, 1, 1)
    assert receiver.states == ["working"] * 3 + ["input-required", "completed"]


async def test_send_again_begins_anew(task, receiver, sending, settings):
    settings.A2A_PUSH_MAX_TRIES = 2
    receiver.answers = [500] * 3
    await create_config(task, {"url": receiver.url})
    await tell(task, "working", "completed")
    await until_states("dead", "dead")
    assert await in_thread(send_again, PushDelivery.objects.all()) == 2
    again = await until_states("sent", "sent")
    assert [delivery.tries for delivery in again] == [1, 1]
    assert await PushAttempt.objects.acount() == 5  # the ledger forgets none
    assert await in_thread(send_again, PushDelivery.objects.filter(version=again[0].version)) == 1
    await until_states("sent", "sent")
    assert receiver.states[-3:] == ["working", "completed", "working"]


async def test_what_waits_is_not_sent_again(task):
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await tell(task, "working")
    assert await in_thread(send_again, PushDelivery.objects.all()) == 0


async def test_a_receiver_that_does_not_answer_in_time_has_failed(task, receiver, sending, settings):
    settings.A2A_PUSH_TIMEOUT_SECONDS = 0.1
    receiver.pause_seconds = 0.5
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    await receiver.until(2)
    attempt = await PushAttempt.objects.order_by("id").afirst()
    assert attempt.status is None and attempt.error


async def test_nobody_listening_is_a_try_with_words(task, sending):
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await tell(task, "working")
    async with asyncio.timeout(5):
        while (attempt := await PushAttempt.objects.afirst()) is None:
            await asyncio.sleep(0.02)
    assert attempt.error == "127.0.0.1 cannot be reached."


async def test_another_secret_key_is_a_try_with_words(task, receiver, sending, settings):
    await create_config(task, {"url": receiver.url, "token": "t0ken"})
    settings.SECRET_KEY = "another" * 8
    await tell(task, "working")
    async with asyncio.timeout(5):
        while (attempt := await PushAttempt.objects.afirst()) is None:
            await asyncio.sleep(0.02)
    assert "SECRET_KEY" in attempt.error and receiver.got == []


async def test_a_body_that_cannot_be_made_counts_as_a_try(task, receiver, sending, monkeypatch, settings):
    async def fail(event):
        raise KeyError("state")

    settings.A2A_PUSH_MAX_TRIES = 1
    monkeypatch.setattr("agents_app.a2a.push.post.load_event_json", fail)
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    await until_states("dead")
    assert "log" in (await PushAttempt.objects.aget()).error


# Rivals and crashes


async def test_two_senders_never_send_one_twice(task, receiver, sending):
    receiver.pause_seconds = 0.02
    rivals = [asyncio.create_task(Sender().run()) for _ in range(3)]
    await create_config(task, {"url": receiver.url})
    await tell(task, *["working", "input-required"] * 10)
    await until_states(*["sent"] * 20)
    await asyncio.gather(*map(end, rivals))
    assert receiver.states == ["working", "input-required"] * 10
    assert receiver.most_at_once == 1


async def test_one_claim_holds_until_its_lease_ends(task):
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await tell(task, "working", "completed")
    [config_id] = await due()
    claims = await asyncio.gather(*(in_thread(claim_next, config_id) for _ in range(8)))
    [mine] = [claim for claim in claims if claim]
    assert await due() == []
    await PushDelivery.objects.filter(id=mine.id).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    assert await due() == [config_id]
    taken = await in_thread(claim_next, config_id)
    assert taken.id == mine.id and taken.lease_until != mine.lease_until


async def test_who_was_overtaken_changes_nothing_but_the_ledger(task):
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await tell(task, "working")
    [config_id] = await due()
    slow = await in_thread(claim_next, config_id)
    await PushDelivery.objects.filter(id=slow.id).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    quick = await in_thread(claim_next, config_id)
    await in_thread(record, slow, PushAttempt(delivery=slow, at=timezone.now(), error="broke off"))
    [delivery] = await deliveries()
    assert (delivery.tries, delivery.lease_until) == (0, quick.lease_until)
    await in_thread(record, quick, PushAttempt(delivery=quick, at=timezone.now(), status=204))
    [delivery] = await deliveries()
    assert delivery.state == "sent" and await PushAttempt.objects.acount() == 2


async def test_a_killed_senders_delivery_is_sent_by_the_next(task, receiver):
    await create_config(task, {"url": receiver.url})
    await tell(task, "working", "completed")
    [config_id] = await due()
    dead = await in_thread(claim_next, config_id)  # and then the process is gone
    work = asyncio.create_task(Sender().run())
    await asyncio.sleep(0.2)
    assert receiver.got == []
    await PushDelivery.objects.filter(id=dead.id).aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    await until_states("sent", "sent")
    await end(work)
    assert receiver.states == ["working", "completed"]


async def test_a_sender_that_ends_gives_back_what_is_on_its_way(task, receiver):
    receiver.pause_seconds = 0.5
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    work = asyncio.create_task(Sender().run())
    await receiver.until(1)
    await end(work)
    [delivery] = await deliveries()
    assert (delivery.state, delivery.lease_until) == ("waiting", None)


async def test_what_waited_while_no_sender_ran_is_sent_when_the_runtime_starts(task, receiver):
    await create_config(task, {"url": receiver.url})
    await tell(task, "working", "completed")
    await runtime.start()
    await receiver.until(2)
    await runtime.stop()
    assert receiver.states == ["working", "completed"]


async def test_what_another_process_journals_is_sent(task, receiver, sending, monkeypatch):
    """Another process cannot wake this one; it looks by itself."""
    monkeypatch.setattr("agents_app.a2a.push.outbox.announce", lambda: None)
    await create_config(task, {"url": receiver.url})
    elsewhere = Journal()
    await elsewhere.append(Entry(task.context_id, [status_fact(task, TaskState.WORKING)]))
    await receiver.until(1, seconds=3)
    elsewhere.close()


async def test_a_database_that_is_away_for_a_moment_does_not_end_the_sender(task, receiver, monkeypatch):
    from django.db import OperationalError

    calls = []

    def fail_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError("away")
        return find_due(*arguments)

    find_due = sender.find_due
    monkeypatch.setattr(sender, "find_due", fail_once)
    await create_config(task, {"url": receiver.url})
    work = asyncio.create_task(Sender().run())
    await tell(task, "working")
    await receiver.until(1)
    await end(work)


# Configurations that change or go


async def test_a_replaced_configuration_gets_what_still_waits(task, receiver, sending):
    await create_config(task, {"id": "mine", "url": "http://127.0.0.1:9/"})
    await tell(task, "working")
    await create_config(task, {"id": "mine", "url": receiver.url})
    await receiver.until(1)


async def test_deleting_while_a_notification_is_on_its_way_is_no_error(task, receiver, sending):
    receiver.pause_seconds = 0.2
    await create_config(task, {"id": "mine", "url": receiver.url})
    await tell(task, "working", "completed")
    await receiver.until(1)
    await delete_config(task, "mine")
    await asyncio.sleep(0.4)
    assert len(receiver.got) == 1 and await deliveries() == []


async def test_a_deleted_conversation_is_told_to_nobody(task, receiver):
    await create_config(task, {"url": receiver.url})
    await tell(task, "working")
    await forget_context(task.context_id)
    assert not await PushConfig.objects.aexists() and not await PushDelivery.objects.aexists()


async def test_a_commit_without_configurations_asks_one_question(task, django_assert_num_queries):
    from agents_app.a2a.push.outbox import write_deliveries

    events = await tell(task, "working")

    def count() -> None:
        with django_assert_num_queries(1):
            write_deliveries(None, events, [])
        with django_assert_num_queries(0):
            write_deliveries(None, events, [task])  # it begins in this commit, with no configuration
        with django_assert_num_queries(0):
            write_deliveries(None, [], [])

    await in_thread(count)


async def test_tool_events_are_not_even_looked_up(task, django_assert_num_queries):
    fact = Fact("tool.started", {"step": "1", "message": "2"}, task.id)
    await create_config(task, {"url": "http://127.0.0.1:9/"})
    await runtime.current().journal.append(Entry(task.context_id, [fact]))
    assert await deliveries() == []
