"""Jobs of procrastinate: a row in PostgreSQL says that a task waits, and wakes a worker.

A job is a hint and is gone as a worker takes it: the task's own row says who runs it. So nothing has to be kept
in step with it, a job that is lost is made again by `recovery.py`, and a second one finds the task taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q, TextField
from django.db.models.functions import Cast
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector

from agents_app.models import Task
from agents_app.runtime.limits import PRIORITY
from agents_app.threads import in_thread

logger = logging.getLogger(__name__)

JOB = "run_task"
DEFER_AT_ONCE = 500
TAKE_AT_ONCE = 25  # of many that come at once, other workers get some, too
POLL_SECONDS = 0.5  # for jobs whose notification was missed
CONNECT_SECONDS = 10.0
CANCEL_AGAIN_SECONDS = 0.2
UNREACHABLE = (ConnectorException, psycopg.Error, OSError)

# One of a task waits at a time: procrastinate's own index on queueing_lock sees to it.
_DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT queue, %s, priority, id, jsonb_build_object('task_id', id)
FROM unnest(%s::text[], %s::text[], %s::integer[]) AS waiting (id, queue, priority)
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
"""
_TAKE = """
WITH chosen AS (
    SELECT id FROM procrastinate_jobs
    WHERE status = 'todo' AND (%(queues)s::text[] IS NULL OR queue_name = ANY (%(queues)s))
    ORDER BY priority DESC, id LIMIT %(places)s FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM procrastinate_jobs AS jobs USING chosen WHERE jobs.id = chosen.id RETURNING jobs.*
)
SELECT args ->> 'task_id' AS task_id FROM taken ORDER BY priority DESC, id
"""


def defer(task_ids: Sequence[UUID]) -> None:
    tasks = Task.objects.runnable().filter(id__in=task_ids).annotate(priority=PRIORITY).order_by("id")
    rows = [(str(id), queue, priority) for id, queue, priority in tasks.values_list("id", "agent__queue", "priority")]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_DEFER, [JOB, *map(list, zip(*rows, strict=True))])


def has_job() -> Q:
    """Tasks that a worker will find."""
    jobs = ProcrastinateJob.objects.filter(status="todo")  # type: ignore[misc]
    waiting = jobs.filter(queueing_lock=Cast(OuterRef("id"), TextField()))
    return Q(Exists(waiting))


class Deferral:
    """Makes jobs beside whoever asks for them, who never waits for it."""

    def __init__(self) -> None:
        self._waiting: list[UUID] = []
        self._flushing: asyncio.Task[None] | None = None

    def put(self, *task_ids: UUID) -> None:
        self._waiting += task_ids
        if self._waiting and self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def flushed(self, seconds: float) -> None:
        if self._flushing is not None:
            await asyncio.wait((self._flushing,), timeout=seconds)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:DEFER_AT_ONCE]
                del self._waiting[:DEFER_AT_ONCE]
                await in_thread(defer, batch)
        except DatabaseError:
            self._waiting.clear()
            logger.exception("Tasks wait for the next look of a worker.", extra={"action": "queue.not_deferred"})
        finally:
            self._flushing = None


async def cancel_surely(job: asyncio.Task[None], again_after: float = CANCEL_AGAIN_SECONDS) -> None:
    """Until it has ended: psycopg swallows a cancellation that comes as it connects, or begins to wait."""
    while not job.done():
        job.cancel()
        await asyncio.wait((job,), timeout=again_after)


class Jobs:
    """What waits for a worker, of some queues or of all (None)."""

    def __init__(self, queues: Sequence[str] | None) -> None:
        self._queues = list(queues) if queues is not None else None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._connector = PsycopgConnector(
            kwargs=connector_params(), min_size=1, max_size=2, timeout=CONNECT_SECONDS, name="jobs"
        )
        try:
            await self._connector.open_async()
        except BaseException:
            await self._connector.close_async()
            raise
        self._manager = JobManager(self._connector)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await cancel_surely(self._listening)
        await self._connector.close_async()

    async def next(self, places: int) -> list[UUID]:
        """The most urgent tasks that wait, at most so many; waits for one. Cancelled, it gives back what it took."""
        while True:
            self._news.clear()
            taking = asyncio.create_task(self._take(min(places, TAKE_AT_ONCE)))
            try:
                task_ids = await asyncio.shield(taking)
            except asyncio.CancelledError:
                await in_thread(defer, await taking)
                raise
            if task_ids:
                return task_ids
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _take(self, places: int) -> list[UUID]:
        taken = await self._connector.execute_query_all_async(_TAKE, queues=self._queues, places=places)
        return [UUID(job["task_id"]) for job in taken]

    async def _listen(self) -> None:
        """As long as it works; without it jobs are polled for."""
        while True:
            try:
                await self._manager.listen_for_jobs(on_notification=self._hear, queues=self._queues)
            except UNREACHABLE:
                logger.info("Not told of new jobs; looking for them.", extra={"action": "queue.deaf"})
            await asyncio.sleep(POLL_SECONDS)

    async def _hear(self, **_: Any) -> None:
        self._news.set()
