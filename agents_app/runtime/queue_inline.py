"""The queue `inline`: tasks run in the process that made them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

from agents_app.models import Agent, Task
from agents_app.runtime import runner
from agents_app.runtime.limits import find_waiting, limit_of
from agents_app.runtime.queue import LocalQueue
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime
    from agents_app.runtime.turn import RunningTurn

LOOK_AGAIN_SECONDS = 0.5


class InlineQueue(LocalQueue):
    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._busy: Counter[tuple[UUID, str]] = Counter()  # running here, by their line
        self._behind: dict[tuple[UUID, str], list[UUID]] = {}  # waiting for one of those
        self._looking: set[asyncio.Task[None]] = set()

    def put(self, *task_ids: UUID) -> None:
        self.run_here(*task_ids)

    def may_start(self, agent: Agent) -> bool:
        return not limit_of(agent)

    def start(self, begun: runner.Begun) -> None:
        self._runtime.listen()
        self._start(begun.task.id, begun)

    def put_behind(self, task: Task) -> None:
        """When the earlier one ends; look again if that is elsewhere."""
        if self._busy[task.line]:
            self._behind.setdefault(task.line, []).append(task.id)
        elif not self._stopping:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self.put, task.id)

    def enter(self, turn: RunningTurn) -> None:
        super().enter(turn)
        self._busy[turn.task.line] += 1

    def _left(self, task: Task) -> None:
        self._busy[task.line] -= 1
        if not self._busy[task.line]:
            del self._busy[task.line]
        self.put(*self._behind.pop(task.line, ()))
        if limit_of(task.agent):
            look = asyncio.get_running_loop().create_task(self._put_next(task))
            self._looking.add(look)
            look.add_done_callback(self._looking.discard)

    async def _put_next(self, task: Task) -> None:
        """What waits because its agent had as many tasks as it may."""
        self.put(*await in_thread(find_waiting, task.agent))
