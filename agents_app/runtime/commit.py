"""One transaction of the journal: checks, numbers and saves a batch of entries."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.utils import timezone

from agents_app import signals
from agents_app.models import Event, JournalHead, Task
from agents_app.runtime.entry import Chain, ConversationGone, Entry, Refused, TaskChange, Unfounded, Waiting
from agents_app.runtime.receipt import ConnectionLost, DatabaseAway, Receipt
from agents_app.runtime.rows import insert, new_row, pipelined, update

logger = logging.getLogger(__name__)

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


_task_fields = attrgetter(*TASK_FIELDS)


def commit_though_away(batch: Sequence[Waiting]) -> None:
    """Commit, in spite of a database that is away for a while. Raises `DatabaseAway` when it is for longer."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            commit(batch)
            return
        except ConnectionLost as error:
            if time.monotonic() > until:
                raise DatabaseAway from error
            logger.warning("The database is away; trying again.", extra={"action": "journal.retry"})
            time.sleep(LOOK_AGAIN_SECONDS)


def commit(batch: Sequence[Waiting]) -> None:
    """Check, number and save entries in one transaction. An entry that is refused carries its error.

    Raises `ConnectionLost` when it may be tried again.
    """
    refused: list[tuple[Waiting, Refused]] = []
    connection = connections["default"]  # looked up once, for that costs more than most of what is done with it
    receipt = Receipt(connection)
    work = _Work(batch, connection)
    try:
        with transaction.atomic():
            receipt.begin()
            work.lock()
            for waiting in batch:
                try:
                    work.take(waiting)
                except Refused as refusal:
                    refused.append((waiting, refusal))
            with pipelined(connection):
                receipt.ask()
                work.write()
            receipt.take()
    except BaseException as error:
        lost = receipt.is_lost(error)
        if not lost or not receipt.was_committed(AWAY_SECONDS):
            work.undo()
            if lost:
                raise ConnectionLost from error
            raise
    for waiting, why in refused:
        waiting.fail(why)


class _Work:
    """One batch: the rows it locks, then the rows it writes."""

    def __init__(self, batch: Sequence[Waiting], connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.entries = [waiting.entry for waiting in batch]
        self.now = timezone.now()
        self.heads: dict[UUID, JournalHead] = {}
        self.tasks: dict[UUID, Task] = {}
        self.new: list[Model] = []
        self.changes: dict[tuple[int, tuple[str, ...]], tuple[Model, tuple[str, ...]]] = {}
        self.events: list[Event] = []
        self.opened: set[UUID] = set()
        self.moved: set[UUID] = set()  # conversations with new events
        self.as_new: dict[UUID, Sequence[Any]] = {}  # tasks that begin in this batch, as they were
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
        tasks = {task_id for entry in self.entries for task_id in _tasks_of(entry)} - new
        if tasks:
            found = Task.objects.select_for_update(of=("self",)).filter(id__in=tasks).order_by("id")
            self.tasks = {task.id: task for task in found}

    def undo(self) -> None:
        """Nothing of the batch was saved: tasks that begin in it are again as they were."""
        for task_id, values in self.as_new.items():
            task = self.tasks[task_id]
            for name, value in zip(TASK_FIELDS, values, strict=True):
                setattr(task, name, value)

    def take(self, waiting: Waiting) -> None:
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
            self.as_new[task.id] = _task_fields(task)
        self.tasks |= fresh
        for change in entry.tasks:
            self._change_task(change)
        waiting.events = self._number(entry) if entry.facts else []
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
        for task_id in _tasks_of(entry):
            if task_id not in self.tasks and task_id not in fresh:
                raise ConversationGone
        for change in entry.tasks:
            if change.check is not None:
                change.check(self.tasks[change.task_id])

    def _change_task(self, change: TaskChange) -> None:
        task = self.tasks[change.task_id]
        for name, value in change.fields.items():
            setattr(task, name, value)
        if change.fields:
            self.changed_tasks[task.id] = task

    def _number(self, entry: Entry) -> list[Event]:
        assert entry.context_id is not None
        head = self.heads[entry.context_id]
        self.moved.add(entry.context_id)
        task_id: UUID | None = None
        events = []
        for fact in entry.facts:
            head.seq += 1
            version = None
            if fact.task_id is not None:
                if task_id is not fact.task_id:  # an entry mostly speaks of one
                    task_id = fact.task_id
                    task = self.changed_tasks[task_id] = self.tasks[task_id]
                task.version = version = task.version + 1
            event = new_row(
                Event,
                context_id=entry.context_id,
                seq=head.seq,
                task_id=fact.task_id,
                version=version,
                type=fact.type,
                data=fact.data,
                created_at=self.now,
            )
            event.about = fact.about
            if fact.message is not None:
                fact.message.seq = head.seq
            events.append(event)
        return events

    def write(self) -> None:
        fresh = {id(row) for row in self.new}  # they are inserted as they are by now
        old = [task for task_id, task in self.changed_tasks.items() if task_id not in self.as_new]
        insert([*(self.heads[context_id] for context_id in self.opened), *self.new, *self.events], self.connection)
        update(
            [(row, names) for row, names in self.changes.values() if id(row) not in fresh]
            + [(task, TASK_FIELDS) for task in old]
            + [(self.heads[context_id], ("seq",)) for context_id in self.moved - self.opened],
            self.connection,
        )
        if self.events:
            signals.events_committing.send(sender=Entry, events=self.events, new=self.new)


def _tasks_of(entry: Entry) -> Iterator[UUID]:
    """Those it changes or speaks of; neighbours mostly speak of the same."""
    last: UUID | None = None
    for change in entry.tasks:
        yield (last := change.task_id)
    for fact in entry.facts:
        if fact.task_id is not None and fact.task_id is not last:
            yield (last := fact.task_id)
