"""Where a task waits until it runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from agents_app.models import Task
from agents_app.runtime import runner

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

LOOK_AGAIN_SECONDS = 0.5


class InlineQueue:
    """Runs tasks in this process's own event loop.

    It keeps nothing that the database does not know: a task that may not run yet, because the same agent is still
    busy with an earlier one in that conversation, is put again when that one ends.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._again: set[UUID] = set()  # put while their last run was still unwinding
        self._why: dict[UUID, str] = {}
        self._busy: Counter[tuple[UUID, str]] = Counter()  # running here, by their line
        self._behind: dict[tuple[UUID, str], list[UUID]] = {}  # waiting for one of those
        self._stopping = False

    def put(self, *task_ids: UUID) -> None:
        """Run tasks as soon as they may. Putting one twice does nothing."""
        self._runtime.listen()
        for task_id in task_ids:
            if self._stopping:
                return
            if task_id in self._running:
                self._again.add(task_id)
            else:
                self._start(task_id)

    def start(self, begun: runner.Begun) -> None:
        """Run a task that was claimed for this process when it was made."""
        self._runtime.listen()
        self._start(begun.task.id, begun)

    def put_behind(self, task: Task) -> None:
        """Put a task again when the earlier one of that agent in that conversation ends; look again if that is elsewhere."""
        if self._busy[task.line]:
            self._behind.setdefault(task.line, []).append(task.id)
        elif not self._stopping:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self.put, task.id)

    def enter(self, task: Task) -> None:
        """A task runs here now."""
        self._busy[task.line] += 1

    def leave(self, task: Task) -> None:
        """It does not any more, and what waited behind it may."""
        self._busy[task.line] -= 1
        if not self._busy[task.line]:
            del self._busy[task.line]
        self.put(*self._behind.pop(task.line, ()))

    def running(self) -> list[UUID]:
        return list(self._running)

    def cancel(self, task_id: UUID) -> bool:
        """Stop a task that runs here, for a person. False: it runs elsewhere or not at all."""
        return self._cancel(task_id, runner.STOPPED)

    def why_cancelled(self, task_id: UUID) -> str:
        return self._why.get(task_id, "")

    async def drain(self, seconds: float) -> None:
        """Take nothing more, wait for what runs, then hand the rest over to whoever comes next."""
        self._stopping = True
        jobs = list(self._running.values())
        if jobs:
            await asyncio.wait(jobs, timeout=seconds)
            for task_id in list(self._running):
                self._cancel(task_id, runner.HANDED_OVER)
            await asyncio.gather(*jobs, return_exceptions=True)

    def _cancel(self, task_id: UUID, why: str) -> bool:
        job = self._running.get(task_id)
        if job is None or task_id in self._why:
            return job is not None
        self._why[task_id] = why
        return job.cancel()

    def _start(self, task_id: UUID, begun: runner.Begun | None = None) -> None:
        work = runner.run(self._runtime, task_id, begun)
        job = asyncio.get_running_loop().create_task(work, name=f"task {task_id}")
        self._running[task_id] = job
        job.add_done_callback(lambda _: self._ended(task_id))

    def _ended(self, task_id: UUID) -> None:
        self._running.pop(task_id, None)
        self._why.pop(task_id, None)
        if task_id in self._again:
            self._again.discard(task_id)
            self.put(task_id)
