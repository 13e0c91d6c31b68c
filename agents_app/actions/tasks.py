"""Begin, continue and stop tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils import timezone

from agents_app import runtime
from agents_app.models import INTERRUPTED, Agent, EventType, Message, Step, Task, TaskState
from agents_app.runtime.brake import BUDGET, Choice, choice_in, renewed
from agents_app.runtime.budget import first_budget
from agents_app.runtime.facts import changed_fact, status_fact, step_fact
from agents_app.runtime.journal import Entry, Fact, Refused, TaskChange
from agents_app.runtime.leases import lease_end
from agents_app.runtime.resubmission import resubmission
from agents_app.runtime.rows import new_row, twin
from agents_app.runtime.stopping import TaskOver, stop_task
from agents_app.threads import in_thread

__all__ = [
    "NotAChoice",
    "NothingToDecide",
    "TaskOver",
    "TaskWrites",
    "answer_question",
    "authorise",
    "begin_claimed",
    "begin_task",
    "cancel_task",
    "decide",
    "find_decision",
    "fits",
    "open_questions",
]


CREDENTIALS = "credentials"  # in the data of a question that was settled by entering them
ENTERED = "Credentials were entered, so it goes on by itself."


class NothingToDecide(Refused):
    """This task waits for no decision."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NotAChoice(Refused):
    """This task waits for a decision: reply go on, answer or end."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


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
    task = begin_task(writes, request, agent.id, owner_id, agent=agent, **values)
    writes.put.remove(task.id)
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
    """A person answers what a task asked; the task goes on. Raises `NotAChoice`."""
    answer.task = question.task
    if question.name == BUDGET:
        choice = choice_in(answer.text)
        if choice is None:
            raise NotAChoice
        _settle(writes, question, choice)
        return
    question.data = {**question.data, "answer": str(answer.id)}
    question.finished_at = timezone.now()
    fact, change = resubmission(question.task)
    writes.changes.append((question, ("data", "finished_at")))
    writes.facts.append(fact)
    writes.tasks.append(change)
    writes.put.append(question.task_id)


def authorise(writes: TaskWrites, question: Step) -> None:
    """Credentials were entered for the agent that asked for them: its task goes on without an answer."""
    question.data = {**question.data, CREDENTIALS: True}
    question.finished_at = timezone.now()
    fact, change = resubmission(question.task)
    writes.changes.append((question, ("data", "finished_at")))
    if (asked := question.message) is not None:
        asked.text = f"{asked.text}\n\n*{ENTERED}*"
        writes.facts.append(changed_fact(asked))
        writes.changes.append((asked, ("text",)))
    writes.facts.append(fact)
    writes.tasks.append(change)
    writes.put.append(question.task_id)


def fits(question: Step, text: str) -> bool:
    """Whether this may be the answer. Who is asked how a task goes on may as well write of something else."""
    return question.name != BUDGET or choice_in(text) is not None


def open_questions(context_id: UUID) -> dict[str, Step]:
    """What agents wait to be told in a conversation: the newest question of each, by the agent's id."""
    waiting = Task.objects.filter(context_id=context_id, state__in=INTERRUPTED)
    if not waiting.exists():  # as nearly always, and half as dear as the query below
        return {}
    steps = Step.objects.filter(kind=Step.Kind.ASK, finished_at=None, task__in=waiting)
    return {step.task.agent_id: step for step in steps.select_related("task").order_by("id")}


def find_decision(task: Task) -> Step | None:
    """The open question of the brake (`runtime/brake.py`) that this task waits with. Reads the database."""
    steps = Step.objects.filter(task=task, name=BUDGET, kind=Step.Kind.ASK, finished_at=None)
    return steps.filter(task__state=TaskState.INPUT_REQUIRED).select_related("task").order_by("-id").first()


async def decide(task: Task, choice: Choice) -> None:
    """A person says how it goes on when the budget is used up. Raises `NothingToDecide`, `NotWaiting`."""
    question = await in_thread(find_decision, task)
    if question is None:
        raise NothingToDecide
    writes = TaskWrites()
    _settle(writes, question, choice)
    await runtime.current().journal.append(
        Entry(task.context_id, writes.facts, writes.new, writes.changes, writes.tasks)
    )
    runtime.current().queue.put(*writes.put)


async def cancel_task(task: Task) -> None:
    """Stop a task, wherever it runs, with everything it delegated. Raises `TaskOver`."""
    await stop_task(runtime.current(), task)


def _settle(writes: TaskWrites, question: Step, choice: Choice) -> None:
    question.data = {**question.data, "choice": choice.value}
    question.finished_at = timezone.now()
    fact, change = resubmission(question.task)
    change.fields["budget"] = renewed(question.task.budget)
    writes.changes.append((question, ("data", "finished_at")))
    writes.facts += [step_fact(EventType.TOOL_FINISHED, question), fact]
    writes.tasks.append(change)
    writes.put.append(question.task_id)
