"""Runs what is due of `agents_app/schedules.py`, as long as this process's runtime runs."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import DatabaseError, connections

from agents_app.actions.scheduled_runs import claim_due, end_run, give_back
from agents_app.schedules import Schedule, all_schedules
from agents_app.threads import connect_patiently, in_thread_apart, leave_pool

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0


def start_schedules(runtime: Runtime) -> None:
    if runtime.queue.runs_schedules:
        runtime.beside(Scheduler(runtime.owner).run())


class Scheduler:
    """`find`: what it looks after; every schedule that is registered, or what a process runs whatever its queue."""

    def __init__(self, owner: str, find: Callable[[], list[Schedule]] = all_schedules) -> None:
        self._owner = owner
        self._find = find
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """For ever; when cancelled, what runs is given back to another process."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for job in self._running:
                job.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def look(self) -> None:
        """Begin what is due, without waiting for its end."""
        try:
            due = await in_thread_apart(claim_due, self._find(), self._owner)
        except DatabaseError:
            logger.exception("The database did not answer; trying again.", extra={"action": "schedules.retry"})
            return
        for schedule in due:
            job = asyncio.create_task(self._run(schedule), name=f"schedule {schedule.name}")
            self._running.add(job)
            job.add_done_callback(self._running.discard)

    async def _run(self, schedule: Schedule) -> None:
        error = ""
        try:
            if inspect.iscoroutinefunction(schedule.run):
                await schedule.run()
            else:
                await _in_own_thread(schedule.run, f"schedule {schedule.name}")
        except asyncio.CancelledError:
            # A thread cannot be stopped: while it works nobody else should, and then its process is gone.
            if inspect.iscoroutinefunction(schedule.run):
                await in_thread_apart(give_back, schedule.name, self._owner)
            raise
        except Exception as failure:  # one that fails must not end the others, and is told in the ledger
            logger.exception("The schedule %s failed.", schedule.name, extra={"action": "schedule.failed"})
            error = f"{type(failure).__name__}: {failure}"
        await self._record(schedule, error)

    async def _record(self, schedule: Schedule, error: str) -> None:
        """Until the database takes it: before that nobody runs it again."""
        while True:
            try:
                return await in_thread_apart(end_run, schedule.name, self._owner, error)
            except DatabaseError:
                logger.exception("The end of a schedule is not recorded yet.", extra={"action": "schedules.retry"})
                await asyncio.sleep(LOOK_SECONDS)


async def _in_own_thread(function: Callable[[], object], name: str) -> None:
    """Neither in the few threads that answer people, nor in one that the end of this process would wait for; and with a
    connection of its own: that the pool is exhausted is one of the things to be noticed."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def work() -> None:
        error: BaseException | None = None
        leave_pool()
        try:
            connect_patiently()
            function()
        except BaseException as failure:  # noqa: BLE001  (who waits for it raises it)
            error = failure
        finally:
            connections.close_all()
        try:
            loop.call_soon_threadsafe(_settle, ended, error)
        except RuntimeError:
            logger.debug("Nobody waits for this schedule any more.", extra={"action": "schedule.loop_closed"})

    threading.Thread(target=work, name=name, daemon=True).start()
    await ended


def _settle(ended: asyncio.Future[None], error: BaseException | None) -> None:
    if ended.done():
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)
