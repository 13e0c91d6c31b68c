"""Stop a task, wherever it runs and whatever it waits for, with everything it delegated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from agents_app.models import RUNNABLE, Message, Task, TaskState
from agents_app.runtime.facts import changed_fact, status_fact
from agents_app.runtime.journal import Entry, Refused, TaskChange
from agents_app.runtime.leases import is_free, is_parked
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

LOOK_SECONDS = 0.25  # for the end of a task that another process stops
STOP_SECONDS = 3.0  # an agent that does not stop by then is left alone with its work


class TaskOver(Refused):
    """This task has ended already."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class _Running(Refused):
    """Somebody runs it."""


async def stop_task(runtime: Runtime, task: Task) -> None:
    """Raises `TaskOver`."""
    settled = runtime.when_settled(task.id)
    if _is_idle(task):
        try:
            await _end_idle(runtime, task)
            return
        except _Running:
            pass
    await _request_cancel(runtime, task)
    if not runtime.queue.cancel(task.id):
        runtime.relay.tell("task.stopped", task_id=str(task.id))
    if not await runtime.until_settled(task.id, settled, LOOK_SECONDS, within=STOP_SECONDS):
        await _end_hung(runtime, task)


async def stop_children(runtime: Runtime, task: Task) -> None:
    for child in await in_thread(_unfinished_children, task):
        try:
            await stop_task(runtime, child)
        except TaskOver:
            pass


def request_cancel(task_id: UUID) -> None:
    """Of one that runs elsewhere: its runner sees it when it renews its lease."""
    Task.objects.runnable().filter(id=task_id).update(cancel_requested=True)


async def _request_cancel(runtime: Runtime, task: Task) -> None:
    change = TaskChange(task.id, {"cancel_requested": True}, _check_unfinished)
    await runtime.journal.append(Entry(task.context_id, tasks=[change]))


async def _end_idle(runtime: Runtime, task: Task) -> None:
    """End a task that nobody runs: it waits for its turn, for a person, or for something outside."""

    def check(current: Task) -> None:
        _check_unfinished(current)
        if not _is_idle(current):
            raise _Running

    await _end(runtime, task, check)
    await stop_children(runtime, task)


async def _end_hung(runtime: Runtime, task: Task) -> None:
    """Its agent does not let go: end the task without it. What it still does is refused, its lease being gone."""
    try:
        await _end(runtime, task, _check_unfinished)
    except TaskOver:
        pass


async def _end(runtime: Runtime, task: Task, check: Any) -> None:
    fields = {"state": TaskState.CANCELED, "lease_owner": "", "lease_until": None, "updated_at": timezone.now()}
    facts = [status_fact(task, TaskState.CANCELED)]
    changes: list[tuple[Model, tuple[str, ...]]] = []
    for message in await in_thread(_open_messages, task):
        message.state = Message.State.STOPPED
        changes.append((message, ("state",)))
        facts.append(changed_fact(message))
    change = TaskChange(task.id, fields, check)
    await runtime.journal.append(Entry(task.context_id, facts, changes=changes, tasks=[change]))


def _is_idle(task: Task) -> bool:
    return task.state not in RUNNABLE or is_free(task) or is_parked(task)


def _check_unfinished(current: Task) -> None:
    if current.is_terminal:
        raise TaskOver


def _open_messages(task: Task) -> Sequence[Message]:
    return list(Message.objects.filter(task_id=task.id, state=Message.State.STREAMING))


def _unfinished_children(task: Task) -> Sequence[Task]:
    return list(Task.objects.filter(parent=task).unfinished())
