"""What runs need of the database to begin.

Tasks that begin while others are read are read together, in three queries: behind a worker that died they are hundreds,
and one by one they would hold up whatever runs already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Subquery, prefetch_related_objects

from agents_app import base, registry
from agents_app.models import PARKED, RUNNABLE, Agent, Message, Step, Task
from agents_app.runtime.leases import earlier, is_free
from agents_app.runtime.limits import limit_of, reserve
from agents_app.threads import in_thread


@dataclass(slots=True)
class Loaded:
    """A task that may run. `agent` is missing where an earlier task of its line goes first."""

    task: Task
    agent: base.Agent | None = None
    steps: Sequence[Step] = ()
    open_answer: Message | None = None


class Loader:
    """Of one process, whose name is `owner`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._one_at_a_time = asyncio.Lock()
        self._gathered: list[UUID] = []
        self._next: asyncio.Task[dict[UUID, Loaded]] | None = None  # of those that are gathered

    async def load(self, task_id: UUID) -> Loaded | None:
        """None: there is nothing to run."""
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._read())
        self._gathered.append(task_id)
        loaded = await asyncio.shield(self._next)  # who is cancelled keeps nobody else waiting
        return loaded.get(task_id)

    async def _read(self) -> dict[UUID, Loaded]:
        async with self._one_at_a_time:
            task_ids, self._gathered, self._next = self._gathered, [], None
            return await in_thread(_load, task_ids, self._owner)


def _load(task_ids: Sequence[UUID], owner: str) -> dict[UUID, Loaded]:
    first = Subquery(earlier().order_by("id").values("lease_owner")[:1])
    tasks = Task.objects.select_related("agent", "request__user", "request__agent").annotate(earlier_owner=first)
    found = tasks.filter(state__in=RUNNABLE).in_bulk(task_ids)
    behind, ready = [], []
    for task in (found[task_id] for task_id in task_ids if task_id in found):
        if not is_free(task):
            continue
        # Messages to a busy agent wait in order. Delegations do not: whoever asked waits for them.
        if task.parent_id is None and task.earlier_owner is not None:
            behind += [task] if task.earlier_owner != PARKED else []
        elif _has_place(task, owner):
            ready.append(task)
    return {task.id: Loaded(task) for task in behind} | {loaded.task.id: loaded for loaded in _with_past(ready)}


def _has_place(task: Task, owner: str) -> bool:
    if not limit_of(task.agent):
        return True
    reserved = reserve(task, owner)
    if reserved:
        task.lease_owner = owner
    return reserved


def _with_past(tasks: Sequence[Task]) -> list[Loaded]:
    """What earlier runs left."""
    prefetch_related_objects(tasks, Prefetch("steps", Step.objects.select_related("message")))
    answers = Message.objects.filter(task__in=tasks, role=Message.Role.AGENT, state=Message.State.STREAMING)
    newest = {message.task_id: message for message in answers.order_by("seq")}
    return [Loaded(task, _agent(task), list(task.steps.all()), newest.get(task.id)) for task in tasks]


def _agent(task: Task) -> base.Agent:
    try:
        return registry.get_agent(task.agent_id)
    except registry.UnknownAgent:
        return _Gone(task.agent)


class _Gone(base.Agent):
    """In the place of an agent that was removed while something waited for it."""

    def __init__(self, row: Agent) -> None:
        self.id, self.name = row.id, row.name  # type: ignore[misc]

    async def respond(self, turn: base.Turn) -> None:
        await turn.fail(f"{self.name} is not here any more.")
