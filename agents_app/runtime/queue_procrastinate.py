"""The queue `procrastinate`: tasks wait in PostgreSQL and run in `manage.py runagents`, on any number of machines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q

from agents_app.models import Agent, Task
from agents_app.runtime.leases import is_free
from agents_app.runtime.limits import find_waiting
from agents_app.runtime.queue import LocalQueue, Queue
from agents_app.runtime.queue_jobs import UNREACHABLE, Deferral, Jobs, cancel_surely, has_job
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

SCHEDULES = "schedules"  # the name by which a worker takes part in them
RECONNECT_SECONDS = 1.0
FLUSH_SECONDS = 2.0
GIVE_BACK_SECONDS = 2.0  # in which jobs that were just taken go back


class DeferringQueue(Queue):
    """Of a process that runs no tasks: web processes and gRPC."""

    runs_tasks = False
    runs_schedules = False

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._deferral = Deferral()

    def put(self, *task_ids: UUID) -> None:
        self._runtime.listen()
        self._deferral.put(*task_ids)

    def may_start(self, agent: Agent) -> bool:
        return False

    async def drain(self, seconds: float) -> None:
        await self._deferral.flushed(FLUSH_SECONDS)


class WorkerQueue(LocalQueue):
    """Of a worker: it has so many places, takes tasks from the database for those that are free, and puts what it makes
    there. What was delegated runs here beside, in the place of whoever waits for it."""

    def __init__(self, runtime: Runtime, concurrency: int, queues: Sequence[str] | None = None) -> None:
        super().__init__(runtime)
        self._queues = queues
        self.runs_schedules = queues is None or SCHEDULES in queues
        self._deferral = Deferral()
        self._places = concurrency
        self._holding: set[UUID] = set()  # tasks that have a place
        self._given_back = asyncio.Event()
        self._pulling: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        self._pulling = asyncio.get_running_loop().create_task(self._pull())

    def put(self, *task_ids: UUID) -> None:
        self._runtime.listen()
        self._deferral.put(*task_ids)

    def put_child(self, task_id: UUID) -> None:
        if self._queues is None:
            self.run_here(task_id)
        elif task_id not in self._running:
            self._do_beside(self._put_child(task_id, self._queues))

    def may_start(self, agent: Agent) -> bool:
        return False

    def _left(self, task: Task) -> None:
        self._do_beside(self._put_next(task))

    def waiting(self) -> Q:
        return has_job()

    async def drain(self, seconds: float) -> None:
        self._stopping = True
        if self._pulling is not None:
            await cancel_surely(self._pulling, GIVE_BACK_SECONDS)
        running = self.running()
        await super().drain(seconds)
        await asyncio.gather(*self._beside)
        self._deferral.put(*running)  # those that ended need no job, and get none
        await self._deferral.flushed(FLUSH_SECONDS)

    async def _pull(self) -> None:
        """For ever: a database that is away for a while must not end it, nor what runs here."""
        while True:
            try:
                async with Jobs(self._queues) as jobs:
                    await self._take_from(jobs)
            except (DatabaseError, *UNREACHABLE):
                logger.exception("The queue did not answer; trying again.", extra={"action": "queue.retry"})
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _take_from(self, jobs: Jobs) -> None:
        while True:
            if len(self._holding) == self._places:
                self._given_back.clear()
                await self._given_back.wait()
            for task_id in await jobs.next(self._places - len(self._holding)):
                if task_id not in self._running:
                    self._holding.add(task_id)
                self.run_here(task_id)

    def _freed(self, task_id: UUID) -> None:
        self._give_place_back(task_id)

    def _give_place_back(self, task_id: UUID) -> None:
        if task_id in self._holding:
            self._holding.discard(task_id)
            self._given_back.set()

    async def _put_child(self, task_id: UUID, queues: Sequence[str]) -> None:
        child = await in_thread(Task.objects.select_related("agent").filter(id=task_id).first)
        if child is None:
            return
        if child.agent.queue in queues:
            self.run_here(task_id)
        else:
            self.put(task_id)
            if child.parent_id is not None:
                self._give_place_back(child.parent_id)

    async def _put_next(self, task: Task) -> None:
        self.put(*await in_thread(_find_next, task))

    def _do_beside(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._beside.add(job)
        job.add_done_callback(self._beside.discard)


def _find_next(task: Task) -> list[UUID]:
    """What may run because this one does not any more; itself is put again by whoever wants that, and when."""
    found: list[UUID] = []
    if task.parent_id is None:
        line = Task.objects.filter(context_id=task.context_id, agent_id=task.agent_id, parent=None).runnable()
        first = line.only("id", "lease_owner", "lease_until").order_by("id").first()
        found += [first.id] if first is not None and is_free(first) else []
    return [task_id for task_id in (*found, *find_waiting(task.agent)) if task_id != task.id]
