"""Where a task waits until it runs: the seam, and what the queues that run tasks in this process share.

No queue keeps anything that the database does not know. A task is run because it is put, and it is put again by
`recovery.py` when that was lost; whether it runs is decided by the claim of its row, so putting one twice does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import Q

from agents_app.models import Agent, Task
from agents_app.runtime import runner
from agents_app.runtime.entry import Refused

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime
    from agents_app.runtime.turn import RunningTurn

logger = logging.getLogger(__name__)

LET_GO_SECONDS = 3.0  # for agents that are cancelled as the process ends


class Queue(ABC):
    runs_tasks = True  # in this process, which then also takes up those whose runner died
    runs_schedules = True

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def begin(self) -> None:
        """The runtime has started."""

    @abstractmethod
    def put(self, *task_ids: UUID) -> None:
        """Run tasks as soon as they may, somewhere."""

    def put_child(self, task_id: UUID) -> None:
        """The same for one that was delegated: whoever asked waits for it, in this process."""
        self.put(task_id)

    @abstractmethod
    def may_start(self, agent: Agent) -> bool:
        """Whether a task of this agent may be claimed for this process as it is made."""

    def start(self, begun: runner.Begun) -> None:
        """Run a task that was. Only after `may_start`."""
        raise NotImplementedError

    def put_behind(self, task: Task) -> None:
        """An earlier task of that agent in that conversation goes first; put this one again when that has ended."""

    def enter(self, turn: RunningTurn) -> None:
        """A task runs here now."""

    def leave(self, turn: RunningTurn) -> None:
        """It does not any more, and what waited for that may run. Twice is once."""

    def abandon(self, turn: RunningTurn) -> None:
        """Its task is somebody else's by now, or over: its agent may go on for ever, and holds nothing any more."""

    def waiting(self) -> Q:
        """Tasks that need not be put again, because they wait where they will be found."""
        return Q(pk__in=())

    def running(self) -> list[UUID]:
        return []

    def turns(self) -> list[RunningTurn]:
        """Of what runs here, and has the lease."""
        return []

    def cancel(self, task_id: UUID) -> bool:
        """Stop a task that runs here, for a person. False: it runs elsewhere or not at all."""
        return False

    def why_cancelled(self, task_id: UUID) -> str:
        return ""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Take nothing more, wait for what runs, then hand the rest over to whoever comes next."""


class LocalQueue(Queue):
    """Runs tasks in this process's own event loop."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._turns: dict[UUID, RunningTurn] = {}
        self._abandoned: set[asyncio.Task[None]] = set()
        self._again: set[UUID] = set()  # put while their last run was still unwinding
        self._why: dict[UUID, str] = {}
        self._stopping = False

    def run_here(self, *task_ids: UUID) -> None:
        self._runtime.listen()
        for task_id in task_ids:
            if self._stopping:
                return
            if task_id in self._running:
                self._again.add(task_id)
            else:
                self._start(task_id)

    def enter(self, turn: RunningTurn) -> None:
        self._turns[turn.task_id] = turn

    def leave(self, turn: RunningTurn) -> None:
        if self._turns.get(turn.task_id) is turn:
            del self._turns[turn.task_id]
            self._left(turn.task)

    def abandon(self, turn: RunningTurn) -> None:
        if self._turns.get(turn.task_id) is not turn:
            return
        job = self._running[turn.task_id]
        turn.abandon()
        self._abandoned.add(job)  # nobody else holds it, and it may yet come to an end
        job.add_done_callback(self._abandoned.discard)
        job.cancel()
        self._ended(turn.task_id, job)
        self.put(turn.task_id)
        self.leave(turn)

    def running(self) -> list[UUID]:
        return list(self._running)

    def turns(self) -> list[RunningTurn]:
        return list(self._turns.values())

    def cancel(self, task_id: UUID) -> bool:
        return self._cancel(task_id, runner.STOPPED)

    def why_cancelled(self, task_id: UUID) -> str:
        return self._why.get(task_id, "")

    async def drain(self, seconds: float) -> None:
        self._stopping = True
        jobs = list(self._running.values())
        if jobs:
            await asyncio.wait(jobs, timeout=seconds)
            for task_id in list(self._running):
                self._cancel(task_id, runner.HANDED_OVER)
            await asyncio.wait(jobs, timeout=LET_GO_SECONDS)
        for turn in self.turns():
            await self._leave_behind(turn)

    async def _leave_behind(self, turn: RunningTurn) -> None:
        """Its agent swallows cancellations: the task is handed over without it."""
        logger.warning("Agent %s does not stop.", turn.agent.id, extra={"action": "task.left_behind"})
        try:
            await turn.hand_over()
        except (Refused, DatabaseError, InterfaceError) as why:
            logger.info("Task %s is left to others: %s", turn.task_id, why, extra={"action": "task.left"})
        self.abandon(turn)

    def _left(self, task: Task) -> None:
        """What waited for its end may run."""

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
        job.add_done_callback(partial(self._ended, task_id))

    def _ended(self, task_id: UUID, job: asyncio.Task[None]) -> None:
        if self._running.get(task_id) is not job:  # it was abandoned, and another one may run by now
            return
        del self._running[task_id]
        self._why.pop(task_id, None)
        self._freed(task_id)
        if task_id in self._again:
            self._again.discard(task_id)
            self.run_here(task_id)

    def _freed(self, task_id: UUID) -> None:
        """The place in which it ran may be given to another."""
