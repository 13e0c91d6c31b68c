"""What is handed to the journal: entries, the facts in them, and why one is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model

from agents_app.models import Event, EventType, JournalHead, Message, Task


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

    def takes_in(self, later: Entry) -> bool:
        """Whether what comes next may as well be part of this: more of one run, which holds its task all the while."""
        if self.chain is None or later.chain is not self.chain or len(self.tasks) != 1 or len(later.tasks) != 1:
            return False
        mine, other = self.tasks[0], later.tasks[0]
        return mine.check == other.check and mine.task_id is other.task_id and "lease_owner" not in mine.fields

    def take_in(self, later: Entry) -> None:
        """Never changes what it holds, which may be others' too, but puts more in its place."""
        self.facts = [*self.facts, *later.facts]
        if later.new:
            self.new = [*self.new, *later.new]
        if later.changes:
            kept = self.changes
            if kept and _are_same(kept[-1], later.changes[0]):  # an artifact grows with each of its chunks
                kept = kept[:-1]
            self.changes = [*kept, *later.changes]
        mine, other = self.tasks[0], later.tasks[0]
        if other.fields:
            self.tasks = [TaskChange(mine.task_id, {**mine.fields, **other.fields}, mine.check)]


def _are_same(change: tuple[Model, tuple[str, ...]], other: tuple[Model, tuple[str, ...]]) -> bool:
    """Fields of a row, whatever they are set to."""
    (row, names), (other_row, other_names) = change, other
    return names == other_names and type(row) is type(other_row) and bool(row.pk == other_row.pk)


@dataclass(slots=True)
class Waiting:
    """An entry on its way into the journal, and whoever wants to know when it is saved."""

    entry: Entry
    loop: asyncio.AbstractEventLoop | None  # None: a thread waits
    future: asyncio.Future[list[Event]] | Future[list[Event]]
    events: list[Event] = field(default_factory=list)
    error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # the caller was cancelled; what it asked for is saved all the same
            return
        if self.error is None:
            self.future.set_result(self.events)
            return
        self.future.set_exception(self.error)
        if self.entry.chain is not None:
            self.future.exception()  # nobody need ask: the chain says it to whoever comes next

    def fail(self, error: Exception) -> None:
        self.error = error
        self.events = []
        if self.entry.chain is not None and self.entry.chain.error is None:
            self.entry.chain.error = error
