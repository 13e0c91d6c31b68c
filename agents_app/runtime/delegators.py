"""Tasks that delegated and wait with nothing in memory go on when what they delegated has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet

from agents_app.models import INTERRUPTED, PARKED, TERMINAL, Step, Task
from agents_app.runtime import brake
from agents_app.runtime.journal import Entry, Refused
from agents_app.runtime.resubmission import resubmission
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

AT_ONCE = 200


async def wake_delegators(runtime: Runtime, task: Task) -> None:
    """At the end of a task's run: whoever delegated it goes on; so does it when what it waits for ended meanwhile."""
    if task.parent_id is not None or task.state not in TERMINAL:
        await _wake(runtime, await in_thread(_find_of, task))


async def wake_forgotten_delegators(runtime: Runtime) -> None:
    """Those of processes that died between the end of the child and the line above."""
    await _wake(runtime, await in_thread(_find_all))


async def _wake(runtime: Runtime, waiting: Sequence[Task]) -> None:
    for task in waiting:
        fact, change = resubmission(task)
        try:
            await runtime.journal.append(Entry(task.context_id, [fact], tasks=[change]))
        except Refused:  # somebody else was faster, or it was stopped
            continue
        runtime.queue.put(task.id)


def _find_of(task: Task) -> list[Task]:
    steps = _ended_delegations()
    mine = steps.filter(child=task) if task.state in TERMINAL else steps.filter(task=task)
    return [step.task for step in mine]


def _find_all() -> list[Task]:
    return list({step.task_id: step.task for step in _ended_delegations().order_by("child_id")[:AT_ONCE]}.values())


def _ended_delegations() -> QuerySet[Step]:
    """Of tasks that wait only because of them, and for nobody's decision."""
    waits = Q(task__state__in=INTERRUPTED) | Q(task__lease_owner=PARKED)
    ended = Step.objects.filter(waits, kind=Step.Kind.AGENT, finished_at=None, child__state__in=TERMINAL)
    asked = Step.objects.filter(task=OuterRef("task"), kind=Step.Kind.ASK, finished_at=None)
    return ended.exclude(Exists(asked)).exclude(task__budget__has_key=brake.SPENT).select_related("task")
