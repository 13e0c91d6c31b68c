"""Tests agents beside this process's runtime: those that somebody asked for, and once a day those that were tested before."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from uuid import UUID

from django.db import DatabaseError

from accounts.models import User
from agents_app.a2a.certificate import shelf
from agents_app.a2a.certificate.calls import Target
from agents_app.a2a.certificate.examination import examine
from agents_app.a2a.certificate.targets import own_target, remote_target
from agents_app.a2a.client.errors import RemoteError
from agents_app.models import RemoteAgent
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread
from agents_app.vault import Unreadable

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0  # between looks at whose day is over
AT_ONCE = 2


class Busy(Exception):
    """This agent is being tested already."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NobodyHere(Exception):
    """This process tests no agents: it runs none."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def start_certifying(runtime: Runtime) -> None:
    runtime.beside(Desk().run())


def request_test(agent_id: str, user_id: UUID) -> None:
    """Test an agent as soon as may be; in any thread. Raises `Busy` and `NobodyHere`."""
    if _desk is None:
        raise NobodyHere
    if not shelf.claim(agent_id):
        raise Busy
    _desk.put(agent_id, user_id)


class Desk:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """For ever; when cancelled, gives back what it has not finished."""
        global _desk
        _desk = self
        try:
            while True:
                await self._begin_due()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            _desk = None if _desk is self else _desk
            for job in self._jobs:
                job.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)

    def put(self, agent_id: str, user_id: UUID) -> None:
        """What was claimed; in any thread."""
        self._loop.call_soon_threadsafe(self._begin, agent_id, user_id)

    async def _begin_due(self) -> None:
        try:
            for agent_id in await in_thread(shelf.find_due):
                if await in_thread(shelf.claim, agent_id):
                    self._begin(agent_id)
        except DatabaseError:
            logger.exception("The database did not answer; trying again.", extra={"action": "certificate.retry"})

    def _begin(self, agent_id: str, user_id: UUID | None = None) -> None:
        job = self._loop.create_task(self._test(agent_id, user_id))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _test(self, agent_id: str, user_id: UUID | None) -> None:
        finished = False
        try:
            async with self._places:
                await certify(agent_id, user_id)
            finished = True
        except (RemoteError, Unreadable, DatabaseError):
            logger.exception("%s could not be tested.", agent_id, extra={"action": "certificate.failed"})
        finally:
            if not finished:
                await in_thread(shelf.let_go, agent_id)


async def certify(agent_id: str, user_id: UUID | None = None) -> None:
    """Test an agent that was claimed, and keep what was found. `user_id`: for whom, when it is one of this server."""
    async with await in_thread(_target, agent_id, user_id) as target:
        findings = await examine(target, partial(_note, agent_id))
    await in_thread(shelf.keep, agent_id, findings)
    logger.info("%s was tested.", agent_id, extra={"action": "certificate.made"})


async def _note(agent_id: str, done: int, of: int, title: str) -> None:
    await in_thread(shelf.note_progress, agent_id, done, of, title)


def _target(agent_id: str, user_id: UUID | None) -> AbstractAsyncContextManager[Target]:
    remote = RemoteAgent.objects.select_related("agent").filter(pk=agent_id).first()
    if remote is not None:
        return nullcontext(remote_target(remote))
    assert user_id is not None  # those of this server are tested only when somebody asks for it
    return own_target(agent_id, User.objects.get(id=user_id))


_desk: Desk | None = None
