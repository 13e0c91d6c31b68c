"""The journal: numbered, durable facts, many callers in one commit."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.models import Model
from django.utils import timezone

from accounts import tracing
from agents_app import signals
from agents_app.models import Event, EventType, JournalHead, Message, Task
from agents_app.runtime.receipt import DatabaseAway, Receipt, is_away
from agents_app.runtime.rows import insert, new_row, pipelined, update

logger = logging.getLogger(__name__)

BATCH = 512  # entries in one commit
AWAY_SECONDS = 30.0  # so long a database may be away before whoever waits is told
LOOK_AGAIN_SECONDS = 0.1
TASK_FIELDS = (
    "state",
    "status_text",
    "plain_reply",
    "version",
    "budget",
    "attempts",
    "lease_owner",
    "lease_until",
    "cancel_requested",
    "updated_at",
)


class Refused(Exception):
    """A check of an entry said no; nothing of the entry was saved."""


class ConversationGone(Refused):
    """This conversation was deleted."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Unfounded(Refused):
    """What this builds on was not saved."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(slots=True)
class Fact:
    """An event before it has its numbers. `message` gets the event's `seq` as its own."""

    type: EventType
    data: dict[str, Any]
    task_id: UUID | None = None
    message: Message | None = None
    about: Model | None = None  # for listeners in this process, who need not read it again


@dataclass(slots=True)
class TaskChange:
    """Fields to set on a task, once `check` has seen the locked row and raised nothing."""

    task_id: UUID
    fields: dict[str, Any]
    check: Callable[[Task], None] | None = None


class Chain:
    """Entries that make sense only together with those before them: when one is not saved, none that follows is."""

    def __init__(self) -> None:
        self.error: Exception | None = None


@dataclass(slots=True)
class Entry:
    """One change that is saved whole or not at all: facts, and the rows they speak of."""

    context_id: UUID | None = None  # None: an entry without facts
    facts: Sequence[Fact] = ()
    new: Sequence[Model] = ()
    changes: Sequence[tuple[Model, tuple[str, ...]]] = ()
    tasks: Sequence[TaskChange] = ()
    opens: JournalHead | None = None  # the conversation begins here
    chain: Chain | None = None


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    loop: asyncio.AbstractEventLoop | None  # None: a thread waits
    future: asyncio.Future[list[Event]] | Future[list[Event]]
    events: list[Event] = field(default_factory=list)
    error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # the caller was cancelled; what it asked for is saved all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.events)

    def fail(self, error: Exception) -> None:
        self.error = error
        self.events = []
        if self.entry.chain is not None and self.entry.chain.error is None:
            self.entry.chain.error = error


Listener = Callable[[list[Event]], None]


class Journal:
    """Commits everything that waits in one transaction, in a thread of its own.

    `append` returns when the commit has returned, so whoever was told "saved" was told the truth. Listeners hear of
    events after the commit, on the event loop they subscribed from, in the order of the journal.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._listeners: list[tuple[asyncio.AbstractEventLoop, Listener, bool]] = []
        self._last_words: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def append(self, entry: Entry) -> list[Event]:
        """Save an entry. Raises `Refused` when a check says no, `DatabaseError` when the database does."""
        return await self.post(entry)

    def post(self, entry: Entry) -> asyncio.Future[list[Event]]:
        """The same for who need not wait right now. Entries are saved in the order in which they are posted."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[list[Event]] = loop.create_future()
        gathered = self._gathered.setdefault(loop, [])
        gathered.append(_Waiting(entry, loop, waiter))
        tracing.until(waiter, "journal.commit")
        if len(gathered) == 1:
            # Not at once but behind what is ready to run now: what has just begun often has more to save.
            loop.call_soon(loop.call_soon, self._hand_over, loop)
        return waiter

    def append_now(self, entry: Entry) -> list[Event]:
        """The same for code outside an event loop; blocks."""
        future: Future[list[Event]] = Future()
        self._put([_Waiting(entry, None, future)])
        return future.result()

    def subscribe(self, listener: Listener, *, everywhere: bool = True) -> Callable[[], None]:
        """Call `listener` on this loop after every commit; returns the function that ends it.

        `everywhere`: also of those in other processes, as far as they are heard of: some may be missing or late.
        """
        item = (asyncio.get_running_loop(), listener, everywhere)
        self._listeners.append(item)
        return lambda: self._listeners.remove(item) if item in self._listeners else None

    def pass_on(self, events: list[Event]) -> None:
        """What another process committed; on the loop of those who listen."""
        here = asyncio.get_running_loop()
        for loop, listener, everywhere in list(self._listeners):
            if everywhere and loop is here:
                listener(events)

    def at_close(self, say: Callable[[], None]) -> None:
        """Call `say` before the end: it may still post what it held back."""
        self._last_words.append(say)

    def close(self, *, silently: bool = False) -> None:
        """Save what waits, then end the thread and its connection. `silently`: nobody has last words, as in a crash."""
        while self._last_words:
            say = self._last_words.pop()
            if not silently:
                say()
        for loop in list(self._gathered):
            self._hand_over(loop)
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if gathered := self._gathered.pop(loop, None):
            self._put(gathered)

    def _put(self, waiting: list[_Waiting]) -> None:
        if self._thread is None:
            self._start()
        self._queue.put(waiting)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
                self._thread.start()

    def _write(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                batch, last = self._gather(first)
                close_old_connections()
                self._save(batch)
                close_old_connections()
                self._tell(batch)
                if last:
                    return
        finally:
            connection.close()

    def _gather(self, first: list[_Waiting]) -> tuple[list[_Waiting], bool]:
        batch = list(first)
        while len(batch) < BATCH:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            batch += waiting
        return batch, False

    def _save(self, batch: list[_Waiting]) -> None:
        for waiting in batch:
            waiting.error = None
        begun = time.monotonic()
        try:
            _commit_though_away(batch)
        except Exception as error:  # whatever a driver or a receiver raises must reach the callers, not end the thread
            if not isinstance(error, (DatabaseError, Refused)):
                logger.exception("The journal could not save an entry.", extra={"action": "journal.failed"})
            self._save_apart(batch, error)
        else:
            signals.journal_committed.send(sender=Journal, entries=len(batch), seconds=time.monotonic() - begun)

    def _save_apart(self, batch: list[_Waiting], error: Exception) -> None:
        """One entry that fails must not fail the others; but a database that is away is away for each of them."""
        if len(batch) > 1 and not isinstance(error, DatabaseAway):
            for waiting in batch:
                self._save([waiting])
            return
        for waiting in batch:
            waiting.fail(error)

    def _tell(self, batch: list[_Waiting]) -> None:
        events = [event for waiting in batch if waiting.error is None for event in waiting.events]
        if events:
            for loop, listener, _ in list(self._listeners):
                _call(loop, listener, events)
        by_loop: dict[asyncio.AbstractEventLoop | None, list[_Waiting]] = {}
        for waiting in batch:
            by_loop.setdefault(waiting.loop, []).append(waiting)
        for home, waitings in by_loop.items():
            if home is None:
                _settle(waitings)
            else:
                _call(home, _settle, waitings)


def _settle(batch: Iterable[_Waiting]) -> None:
    for waiting in batch:
        waiting.settle()


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[Any], None], argument: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, argument)
    except RuntimeError:  # the loop has ended, and with it whoever waited there
        logger.debug("Nobody waits for this commit any more.", extra={"action": "journal.loop_closed"})


def _commit_though_away(batch: Sequence[_Waiting]) -> None:
    """Commit, in spite of a database that is away for a while. Raises `DatabaseAway` when it is for longer."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            commit(batch)
            return
        except (OperationalError, InterfaceError) as error:
            if isinstance(error, DatabaseAway) or not is_away(error):
                raise
            if time.monotonic() > until:
                raise DatabaseAway from error
            logger.warning("The database is away; trying again.", extra={"action": "journal.retry"})
            time.sleep(LOOK_AGAIN_SECONDS)


def commit(batch: Sequence[_Waiting]) -> None:
    """Check, number and save entries in one transaction. An entry that is refused carries its error."""
    refused: list[tuple[_Waiting, Refused]] = []
    receipt = Receipt()
    work = _Work(batch)
    try:
        with transaction.atomic():
            work.lock()
            for waiting in batch:
                try:
                    work.take(waiting)
                except Refused as refusal:
                    refused.append((waiting, refusal))
            with pipelined():
                receipt.ask()
                work.write()
            receipt.take()
    except BaseException as error:
        if not is_away(error) or not receipt.was_committed(AWAY_SECONDS):
            work.undo()
            raise
    for waiting, why in refused:
        waiting.fail(why)


class _Work:
    """One batch: the rows it locks, then the rows it writes."""

    def __init__(self, batch: Sequence[_Waiting]) -> None:
        self.entries = [waiting.entry for waiting in batch]
        self.now = timezone.now()
        self.heads: dict[UUID, JournalHead] = {}
        self.tasks: dict[UUID, Task] = {}
        self.new: list[Model] = []
        self.changes: dict[tuple[int, tuple[str, ...]], tuple[Model, tuple[str, ...]]] = {}
        self.events: list[Event] = []
        self.opened: set[UUID] = set()
        self.as_new: dict[UUID, list[Any]] = {}  # tasks that begin in this batch, as they were
        self.broken: set[Chain] = set()
        self.changed_tasks: dict[UUID, Task] = {}

    def lock(self) -> None:
        """Rows are locked in the order of their ids, so that two processes never wait for each other in a ring."""
        opened = {entry.opens.context_id for entry in self.entries if entry.opens is not None}
        heads = {entry.context_id for entry in self.entries if entry.context_id and entry.facts} - opened
        if heads:
            rows = JournalHead.objects.select_for_update(of=("self",)).filter(context_id__in=heads)
            self.heads = {head.context_id: head for head in rows.order_by("context_id")}
        new = {row.id for entry in self.entries for row in entry.new if isinstance(row, Task)}
        tasks = {change.task_id for entry in self.entries for change in entry.tasks}
        tasks |= {fact.task_id for entry in self.entries for fact in entry.facts if fact.task_id}
        if tasks - new:
            found = Task.objects.select_for_update(of=("self",)).filter(id__in=tasks - new).order_by("id")
            self.tasks = {task.id: task for task in found}

    def undo(self) -> None:
        """Nothing of the batch was saved: tasks that begin in it are again as they were."""
        for task_id, values in self.as_new.items():
            for name, value in zip(TASK_FIELDS, values, strict=True):
                setattr(self.tasks[task_id], name, value)

    def take(self, waiting: _Waiting) -> None:
        entry = waiting.entry
        fresh = {row.id: row for row in entry.new if isinstance(row, Task)}
        try:
            self._check(entry, fresh)
        except Refused:
            if entry.chain is not None:
                self.broken.add(entry.chain)
            raise
        if entry.opens is not None:
            entry.opens.seq = 0
            self.heads[entry.opens.context_id] = entry.opens
            self.opened.add(entry.opens.context_id)
        for task in fresh.values():
            task.version = 0
            self.as_new[task.id] = [getattr(task, name) for name in TASK_FIELDS]
        self.tasks |= fresh
        for change in entry.tasks:
            self._change_task(change)
        waiting.events = [self._number(entry, fact) for fact in entry.facts]
        self.events += waiting.events
        self.new += entry.new
        for row, names in entry.changes:  # a row that changes several times is written once, as it is in the end
            self.changes.pop((id(row), names), None)  # behind what others said of it meanwhile
            self.changes[id(row), names] = (row, names)

    def _check(self, entry: Entry, fresh: dict[UUID, Task]) -> None:
        if entry.chain is not None and (entry.chain.error or entry.chain in self.broken):
            raise Unfounded from entry.chain.error
        if entry.facts and not entry.opens and entry.context_id not in self.heads:
            raise ConversationGone
        needed = {change.task_id for change in entry.tasks} | {fact.task_id for fact in entry.facts if fact.task_id}
        if not needed <= self.tasks.keys() | fresh.keys():
            raise ConversationGone
        for change in entry.tasks:
            if change.check is not None:
                change.check(self.tasks[change.task_id])

    def _change_task(self, change: TaskChange) -> None:
        task = self.tasks[change.task_id]
        for name, value in change.fields.items():
            setattr(task, name, value)
        self.changed_tasks[task.id] = task

    def _number(self, entry: Entry, fact: Fact) -> Event:
        assert entry.context_id is not None
        head = self.heads[entry.context_id]
        head.seq += 1
        event = new_row(
            Event, context_id=entry.context_id, seq=head.seq, type=fact.type, data=fact.data, created_at=self.now
        )
        if fact.task_id is not None:
            task = self.tasks[fact.task_id]
            task.version += 1
            self.changed_tasks[task.id] = task
            event.task_id, event.version = task.id, task.version
        event.about = fact.about
        if fact.message is not None:
            fact.message.seq = head.seq
        return event

    def write(self) -> None:
        insert([self.heads[context_id] for context_id in self.opened])
        insert(self.new)
        fresh = {id(row) for row in self.new}  # they are inserted as they are by now
        old = [task for task in self.changed_tasks.values() if task.id not in self.as_new]
        moved = {event.context_id for event in self.events} - self.opened
        update(
            [(row, names) for row, names in self.changes.values() if id(row) not in fresh]
            + [(task, TASK_FIELDS) for task in old]
            + [(self.heads[context_id], ("seq",)) for context_id in moved]
        )
        insert(self.events)
        if self.events:
            signals.events_committing.send(sender=Journal, events=self.events)
