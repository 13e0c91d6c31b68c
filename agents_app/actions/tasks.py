"""Begin, continue and stop tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from agents_app import runtime
from agents_app.models import INTERRUPTED, RUNNABLE, Agent, Message, Step, Task, TaskState
from agents_app.runtime.budget import first_budget
from agents_app.runtime.facts import changed_fact, status_fact
from agents_app.runtime.journal import Entry, Fact, Refused, TaskChange
from agents_app.runtime.recovery import is_free, is_parked, lease_end
from agents_app.runtime.resubmission import resubmission
from agents_app.runtime.rows import new_row, twin
from agents_app.threads import in_thread

STOP_SECONDS = 3.0  # an agent that does not stop by then is left alone with its work


class TaskOver(Refused):
    """This task has ended already."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class _Running(Refused):
    """Somebody runs it."""


@dataclass
class TaskWrites:
    """The part of a journal entry that begins or continues tasks; `put` into the queue once it is committed."""

    facts: list[Fact] = field(default_factory=list)
    new: list[Model] = field(default_factory=list)
    changes: list[tuple[Model, tuple[str, ...]]] = field(default_factory=list)
    tasks: list[TaskChange] = field(default_factory=list)
    put: list[UUID] = field(default_factory=list)


def begin_claimed(
    writes: TaskWrites, request: Message, agent: Agent, owner_id: Any, **values: Any
) -> tuple[Task, Task]:
    """A new task that this process runs at once: begun and claimed in one entry. The row to save, and one to run.

    Only where no earlier task can be in its way: the context begins with it.
    """
    task = begin_task(writes, request, agent.id, owner_id, **values)
    writes.put.remove(task.id)
    task.agent = agent
    task.state, task.attempts = TaskState.WORKING, 1
    task.lease_owner, task.lease_until = runtime.current().owner, lease_end()
    task.budget = first_budget(task.budget)
    writes.facts.append(status_fact(task, TaskState.WORKING))
    return task, twin(task)  # the saved row belongs to the journal's thread


def begin_task(writes: TaskWrites, request: Message, agent_id: str, owner_id: Any, **values: Any) -> Task:
    """A new task for an agent: to answer `request`, for `owner_id`."""
    now = timezone.now()
    common: dict[str, Any] = {"context_id": request.context_id, "agent_id": agent_id, "owner_id": owner_id}
    task = new_row(Task, request=request, created_at=now, updated_at=now, **common | values)
    writes.new.append(task)
    writes.facts.append(status_fact(task, TaskState.SUBMITTED))
    writes.put.append(task.id)
    return task


def answer_question(writes: TaskWrites, question: Step, answer: Message) -> None:
    """A person answers what a task asked; the task goes on."""
    question.data = {**question.data, "answer": str(answer.id)}
    question.finished_at = timezone.now()
    answer.task = question.task
    fact, change = resubmission(question.task)
    writes.changes.append((question, ("data", "finished_at")))
    writes.facts.append(fact)
    writes.tasks.append(change)
    writes.put.append(question.task_id)


def open_questions(context_id: UUID) -> dict[str, Step]:
    """What agents wait to be told in a conversation: the newest question of each, by the agent's id."""
    steps = Step.objects.filter(
        kind=Step.Kind.ASK, finished_at=None, task__context_id=context_id, task__state__in=INTERRUPTED
    )
    return {step.task.agent_id: step for step in steps.select_related("task").order_by("id")}


async def cancel_task(task: Task) -> None:
    """Stop a task, wherever it runs, with everything it delegated. Raises `TaskOver`."""
    current = runtime.current()
    settled = current.when_settled(task.id)
    if _is_idle(task):
        try:
            await _end_idle(task)
            return
        except _Running:
            pass
    await _request_cancel(task)
    current.queue.cancel(task.id)
    try:
        await asyncio.wait_for(settled, STOP_SECONDS)
    except TimeoutError:
        await _end_hung(task)


async def _request_cancel(task: Task) -> None:
    change = TaskChange(task.id, {"cancel_requested": True}, _check_unfinished)
    await runtime.current().journal.append(Entry(task.context_id, tasks=[change]))


async def _end_idle(task: Task) -> None:
    """End a task that nobody runs: it waits for its turn, for a person, or for something outside."""

    def check(current: Task) -> None:
        _check_unfinished(current)
        if not _is_idle(current):
            raise _Running

    await _end(task, check)
    for child in await in_thread(_unfinished_children, task):
        await cancel_task(child)


async def _end_hung(task: Task) -> None:
    """Its agent does not let go: end the task without it. What it still does is refused, its lease being gone."""
    try:
        await _end(task, _check_unfinished)
    except TaskOver:
        pass


async def _end(task: Task, check: Any) -> None:
    fields = {"state": TaskState.CANCELED, "lease_owner": "", "lease_until": None, "updated_at": timezone.now()}
    facts = [status_fact(task, TaskState.CANCELED)]
    changes: list[tuple[Model, tuple[str, ...]]] = []
    for message in await in_thread(_open_messages, task):
        message.state = Message.State.STOPPED
        changes.append((message, ("state",)))
        facts.append(changed_fact(message))
    change = TaskChange(task.id, fields, check)
    await runtime.current().journal.append(Entry(task.context_id, facts, changes=changes, tasks=[change]))


def _is_idle(task: Task) -> bool:
    return task.state not in RUNNABLE or is_free(task) or is_parked(task)


def _check_unfinished(current: Task) -> None:
    if current.is_terminal:
        raise TaskOver


def _open_messages(task: Task) -> Sequence[Message]:
    return list(Message.objects.filter(task_id=task.id, state=Message.State.STREAMING))


def _unfinished_children(task: Task) -> Sequence[Task]:
    return list(Task.objects.filter(parent=task).unfinished())
