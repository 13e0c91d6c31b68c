from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from math import inf
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from agents_app import signals
from agents_app.models import INTERRUPTED, TERMINAL, Event, EventType, Task
from agents_app.runtime.journal import Journal, Refused
from agents_app.runtime.live import LiveText
from agents_app.runtime.loading import Loader
from agents_app.runtime.owner import this_process
from agents_app.runtime.queue import Queue
from agents_app.runtime.recovery import Recovery
from agents_app.runtime.relay import Ears, Relay
from agents_app.threads import in_thread

logger = logging.getLogger(__name__)

LEASE_CHECK_SECONDS = 0.5  # a stop must arrive within a second, wherever the task runs


class Runtime:
    """What one process needs to run tasks: its journal, its live text, its queue, and the loops that keep them."""

    def __init__(self, make_queue: Callable[[Runtime], Queue]) -> None:
        self.owner = this_process()
        self.journal = Journal()
        self.relay = _make_relay()
        self.live = LiveText(settings.AGENTS_GATHER_SECONDS, self.relay)
        self.queue = make_queue(self)
        self.loader = Loader(self.owner)
        self.recovery = Recovery(self)
        self._ends: dict[UUID, list[tuple[asyncio.Future[str], bool]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._listening: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Run tasks that wait, also those that a dead process left, and keep what runs alive."""
        self.keep_alive()
        self.queue.begin()
        if self.queue.runs_tasks:
            self._every(settings.AGENTS_RECOVERY_SECONDS, self.recovery.adopt_tasks)
        signals.runtime_starting.send(sender=Runtime, runtime=self)

    def keep_alive(self) -> None:
        """Only that: for a command that runs a task of its own beside a server, and takes nothing of what waits there."""
        self.listen()
        self._begin_relay()
        self._every(settings.AGENTS_SAVE_SECONDS, self.save_texts)
        self._every(LEASE_CHECK_SECONDS, self.recovery.keep_leases)

    async def stop(self) -> None:
        """Let running tasks finish for a while, hand the rest over, save everything."""
        await self.queue.drain(settings.AGENTS_DRAIN_SECONDS)
        await self.relay.end()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()
        await self.save_texts()
        self.journal.close()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something else as long as this runtime runs. It is cancelled at the end, and then has seconds."""
        self._loops.append(asyncio.get_running_loop().create_task(work))

    def listen(self) -> None:
        """Hear of ended tasks on the running loop. Once a loop; `start` and the queue call it."""
        loop = asyncio.get_running_loop()
        if self._listening is not loop:
            self._listening = loop
            self.journal.subscribe(self._hear)

    def when_settled(self, task_id: UUID, *, or_parked: bool = False) -> asyncio.Future[str]:
        """A future of the state in which the task ends or waits for a person. Ask before you look at the database.

        `or_parked`: or begins to wait for something that is not here.
        """
        self.listen()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ends.setdefault(task_id, []).append((future, or_parked))
        return future

    async def until_settled(
        self, task_id: UUID, settled: asyncio.Future[str], look_seconds: float, within: float = inf
    ) -> bool:
        """Wait for what `when_settled` gave, also when another process runs the task: its news are not heard here, so
        the database is looked at every so often. False: it has not settled within so many seconds."""
        clock = asyncio.get_running_loop().time
        until = clock() + within
        try:
            while not await _is_done(settled, max(min(look_seconds, until - clock()), 0)):
                if await in_thread(_is_settled, task_id):
                    return True
                if clock() >= until:
                    return False
            settled.result()
            return True
        finally:  # also when its task could not be saved, and so never settles
            self._forget(task_id, settled)

    async def save_texts(self) -> None:
        """Save the text of everything that streams, in one commit. What a run has lost meanwhile is refused: this
        process may have stood still, and another one has finished the answer."""
        saves = [self.journal.post(entry) for turn in self.queue.turns() if (entry := turn.grown_text())]
        for outcome in await asyncio.gather(*saves, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refused):
                raise outcome

    def _begin_relay(self) -> None:
        if settings.REDIS_URL:
            self.relay.begin(Ears(self.live.pass_on, self.journal.pass_on, self.live.snapshot), self.beside)
            self.relay.on("task.stopped", self._stop_here)
            self.journal.subscribe(self.relay.committed, everywhere=False)

    def _stop_here(self, task_id: str) -> None:
        self.queue.cancel(UUID(task_id))

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if event.type == EventType.TASK_STATUS and event.task_id in self._ends:
                self._settle(event.task_id, event.data)

    def _settle(self, task_id: UUID, data: dict[str, Any]) -> None:
        settled, parked = data["state"] in (*TERMINAL, *INTERRUPTED), "waiting_since" in data
        if not settled and not parked:
            return
        left: list[tuple[asyncio.Future[str], bool]] = []
        for future, or_parked in self._ends.pop(task_id):
            if not settled and not or_parked:
                left.append((future, or_parked))
            elif not future.done():
                future.set_result(data["state"])
        if left:
            self._ends[task_id] = left

    def _forget(self, task_id: UUID, settled: asyncio.Future[str]) -> None:
        left = [end for end in self._ends.pop(task_id, ()) if end[0] is not settled]
        if left:
            self._ends[task_id] = left

    def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        self.beside(_repeat(seconds, do))


def _make_relay() -> Relay:
    if not settings.REDIS_URL:
        return Relay()
    from agents_app.runtime.relay_redis import RedisRelay  # noqa: PLC0415  (whoever is alone needs no client of Redis)

    return RedisRelay(settings.REDIS_URL)


async def _is_done(future: asyncio.Future[str], seconds: float) -> bool:
    """Whether it is after so long; at once when it is. What `asyncio.wait` does for any number, at half its cost."""
    if future.done():
        return True
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()

    def wake(_: Any = None) -> None:
        if not woken.done():
            woken.set_result(None)

    future.add_done_callback(wake)
    timer = loop.call_later(seconds, wake)
    try:
        await woken
    finally:
        timer.cancel()
        future.remove_done_callback(wake)
    return future.done()


def _is_settled(task_id: UUID) -> bool:
    return Task.objects.filter(id=task_id, state__in=(*TERMINAL, *INTERRUPTED)).exists()


async def _repeat(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    """For ever: a database that is away for a while must not end it."""
    while True:
        try:
            await do()
        except (DatabaseError, InterfaceError):
            logger.exception("The database did not answer; trying again.", extra={"action": "runtime.retry"})
        await asyncio.sleep(seconds)
