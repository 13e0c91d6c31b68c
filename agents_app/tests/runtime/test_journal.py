"""The journal: what it promises to whoever appends and to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from agents_app.ids import uuid7
from agents_app.models import Event, EventType, JournalHead, Message, Task
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Chain, ConversationGone, Entry, Fact, Refused, TaskChange, Unfounded
from agents_app.signals import journal_committed


def a_message(room, **values) -> Message:
    return Message(context_id=room.id, role="user", text="hello", created_at=timezone.now(), **values)


async def test_it_works(room):
    message = a_message(room)
    events = await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))
    assert [event.seq for event in events] == [2]  # the room's opening was 1
    stored = await Message.objects.aget(id=message.id)
    assert stored.seq == 2


async def test_many_callers_get_gapless_numbers_in_one_order(room):
    async def post() -> None:
        message = a_message(room)
        await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))

    await asyncio.gather(*(post() for _ in range(200)))
    numbers = [
        seq async for seq in Event.objects.filter(context_id=room.id).order_by("seq").values_list("seq", flat=True)
    ]
    assert numbers == list(range(1, 202))
    assert (await JournalHead.objects.aget(context_id=room.id)).seq == 201


async def test_each_row_of_a_large_batch_is_saved_as_it_is(room):
    messages = [a_message(room) for _ in range(90)]
    for number, message in enumerate(messages):
        message.text = f"number {number}"
    entries = [Entry(room.id, [created_fact(message)], [message]) for message in messages]
    await asyncio.gather(*map(room.runtime.journal.append, entries))
    saved = {message.id: message.text async for message in Message.objects.filter(context_id=room.id)}
    assert saved == {message.id: message.text for message in messages}


async def test_a_listener_that_fails_keeps_the_news_from_nobody(room, caplog):
    def fail(events: list[Event]) -> None:
        raise LookupError

    heard: list[int] = []
    room.runtime.journal.subscribe(fail)
    room.runtime.journal.subscribe(lambda events: heard.extend(event.seq for event in events))
    message = a_message(room)
    await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))
    assert heard == [2] == [(await Message.objects.aget(id=message.id)).seq]
    assert "A listener of the journal failed." in caplog.text


async def test_a_connection_that_cannot_be_given_back_ends_nothing(room, monkeypatch, caplog):
    def fail(connection) -> None:
        raise InterfaceError("it is broken")

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", fail)
    numbers = []
    for _ in range(2):
        message = a_message(room)
        async with asyncio.timeout(5):
            events = await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))
        numbers += [event.seq for event in events]
    assert numbers == [2, 3] and "could not give its connection back" in caplog.text


async def test_listeners_hear_in_order_and_before_the_caller_goes_on(room):
    heard: list[int] = []
    room.runtime.journal.subscribe(lambda events: heard.extend(event.seq for event in events))

    async def post() -> None:
        message = a_message(room)
        events = await room.runtime.journal.append(Entry(room.id, [created_fact(message)], [message]))
        assert events[0].seq in heard

    await asyncio.gather(*(post() for _ in range(50)))
    assert heard == sorted(heard) and len(heard) == 50


async def test_an_entry_that_fails_does_not_fail_the_others_of_its_batch(room, ada_id):
    first = a_message(room, user_id=ada_id, client_id=uuid7())
    twin = a_message(room, user_id=ada_id, client_id=first.client_id)
    others = [a_message(room) for _ in range(20)]
    entries = [Entry(room.id, [created_fact(m)], [m]) for m in (first, twin, *others)]
    results = await asyncio.gather(*map(room.runtime.journal.append, entries), return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in failed] == [IntegrityError]
    assert await Message.objects.in_context(room.id).acount() == 21
    numbers = [
        seq async for seq in Event.objects.filter(context_id=room.id).order_by("seq").values_list("seq", flat=True)
    ]
    assert numbers == list(range(1, 23))


async def test_what_is_said_last_of_a_row_stays(room):
    """In one commit, whatever others of the same commit change: the end of an answer behind its text of a moment before."""
    ended, other = a_message(room, state="streaming"), a_message(room, state="streaming")
    await room.runtime.journal.append(Entry(room.id, [created_fact(ended), created_fact(other)], [ended, other]))
    ended.text, ended.state = "the whole", "complete"
    half, more = Message(id=ended.id, text="the"), Message(id=ended.id, text="the who")
    changes = [
        (other, ("text", "state")),
        (half, ("text",)),
        (ended, ("text", "state")),
        (more, ("text",)),
        (ended, ("text", "state")),
    ]
    posted = [room.runtime.journal.post(Entry(changes=[change])) for change in changes]  # none waits: one batch
    await asyncio.gather(*posted)
    stored = await Message.objects.aget(id=ended.id)
    assert (stored.text, stored.state) == ("the whole", "complete")


async def test_a_check_that_says_no_saves_nothing_of_its_entry(room, agent):
    async def wait(turn):
        await asyncio.sleep(60)

    task = await room.ask(agent(wait), "hi")
    message = a_message(room)

    def refuse(_: Task) -> None:
        raise Refused("no")

    with pytest.raises(Refused):
        entry = Entry(room.id, [created_fact(message)], [message], tasks=[TaskChange(task.id, {}, refuse)])
        await room.runtime.journal.append(entry)
    assert not await Message.objects.filter(id=message.id).aexists()


async def test_nothing_is_appended_to_a_conversation_that_is_not_there(room):
    stray = Message(context_id=uuid7(), role="user", text="lost", created_at=timezone.now())
    with pytest.raises(ConversationGone):
        await room.runtime.journal.append(Entry(stray.context_id, [created_fact(stray)], [stray]))


async def test_code_without_an_event_loop_may_append(room):
    fact = Fact(EventType.CONVERSATION_CHANGED, {"title": "from a thread"})
    events = await asyncio.to_thread(room.runtime.journal.append_now, Entry(room.id, [fact]))
    assert events[0].seq == 2


@pytest.fixture
def ada_id(transactional_db, ada):
    return ada.id


async def test_a_chain_ends_where_something_could_not_be_saved(room, ada_id):
    stored = a_message(room, user_id=ada_id, client_id=uuid7())
    await room.runtime.journal.append(Entry(room.id, [created_fact(stored)], [stored]))
    chain, journal = Chain(), room.runtime.journal
    twin = a_message(room, user_id=ada_id, client_id=stored.client_id)
    after, other = a_message(room), a_message(room)

    failed = journal.post(Entry(room.id, [created_fact(twin)], [twin], chain=chain))
    unfounded = journal.post(Entry(room.id, [created_fact(after)], [after], chain=chain))
    saved = journal.post(Entry(room.id, [created_fact(other)], [other]))
    results = await asyncio.gather(failed, unfounded, saved, return_exceptions=True)

    assert [type(result) for result in results] == [IntegrityError, Unfounded, list]
    assert not await Message.objects.filter(id=after.id).aexists()
    assert await Message.objects.filter(id=other.id).aexists()


async def test_a_chain_that_is_refused_is_refused_to_its_end(room):
    gone, chain, journal = uuid7(), Chain(), room.runtime.journal
    lost, after = a_message(room), a_message(room)

    refused = journal.post(Entry(gone, [created_fact(lost)], [lost], chain=chain))
    unfounded = journal.post(Entry(room.id, [created_fact(after)], [after], chain=chain))
    results = await asyncio.gather(refused, unfounded, return_exceptions=True)

    assert [type(result) for result in results] == [ConversationGone, Unfounded]
    later = journal.post(Entry(room.id, [created_fact(after)], [after], chain=chain))
    with pytest.raises(Unfounded):
        await later


@pytest.fixture
def saved_together() -> Iterator[list[int]]:
    """How many entries each commit had."""
    sizes: list[int] = []

    def note(entries: int, **_: object) -> None:
        sizes.append(entries)

    journal_committed.connect(note)
    yield sizes
    journal_committed.disconnect(note)


async def a_running_task(room, agent) -> Task:
    runs = asyncio.Event()

    async def wait(turn):
        runs.set()
        await asyncio.sleep(60)

    task = await room.ask(agent(wait), "hi")
    await runs.wait()
    return task


def entry_of_a_run(room, task, chain, check, message, **fields) -> Entry:
    return Entry(room.id, [created_fact(message)], [message], tasks=[TaskChange(task.id, fields, check)], chain=chain)


async def test_what_a_run_posts_in_one_go_is_one_entry(room, agent, saved_together):
    task, chain, journal = await a_running_task(room, agent), Chain(), room.runtime.journal
    messages = [a_message(room) for _ in range(5)]

    def mine(_: Task) -> None:
        pass

    saved_together.clear()
    for number, message in enumerate(messages):
        saved = journal.post(entry_of_a_run(room, task, chain, mine, message, status_text=str(number)))
    events = await saved

    assert saved_together == [1]
    assert [event.data["message"] for event in events] == [str(message.id) for message in messages]
    stored = Message.objects.filter(id__in=[message.id for message in messages]).order_by("seq")
    assert [row.id async for row in stored] == [message.id for message in messages]
    assert (await Task.objects.aget(id=task.id)).status_text == "4"


async def test_who_does_not_wait_any_more_takes_nothing_from_the_others_of_its_run(room, agent):
    task, chain, journal = await a_running_task(room, agent), Chain(), room.runtime.journal
    first, last = a_message(room), a_message(room)

    def mine(_: Task) -> None:
        pass

    appends = [
        asyncio.create_task(journal.append(entry_of_a_run(room, task, chain, mine, message)))
        for message in (first, last)
    ]
    await asyncio.sleep(0)
    appends[0].cancel()
    results = await asyncio.gather(*appends, return_exceptions=True)

    assert [type(result) for result in results] == [asyncio.CancelledError, list]
    assert await Message.objects.filter(id__in=[first.id, last.id]).acount() == 2


async def test_nothing_is_taken_in_behind_the_end_of_a_run(room, agent):
    task, chain, journal = await a_running_task(room, agent), Chain(), room.runtime.journal
    last, late = a_message(room), a_message(room)

    def mine(current: Task) -> None:
        if current.lease_owner == "nobody":
            raise Refused("It has given the task back.")

    ended = journal.post(entry_of_a_run(room, task, chain, mine, last, lease_owner="nobody"))
    after = journal.post(entry_of_a_run(room, task, chain, mine, late))
    results = await asyncio.gather(ended, after, return_exceptions=True)

    assert [type(result) for result in results] == [list, Refused]
    assert not await Message.objects.filter(id=late.id).aexists()
