"""What runs need to begin is read for many at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from agents_app.models import PARKED, Task
from agents_app.runtime import loading
from agents_app.runtime.loading import Loader
from agents_app.tests.runtime.conftest import Room
from agents_app.threads import in_thread


@pytest.fixture
def waiting(room, agent):
    """Make tasks that nobody runs, in conversations of their own or in one."""
    agent(lambda turn: None)

    async def make(count: int, *, apart: bool = True) -> list[UUID]:
        room.runtime.queue.put = lambda *ids: None
        ids, current = [], room
        for _ in range(count):
            if apart:
                current = Room(room.runtime)
                await current.open()
            ids.append((await current.ask("tester", "go")).id)
        return ids

    return make


async def test_it_works(waiting):
    ids = await waiting(3)
    loader = Loader("me")
    found = await asyncio.gather(*(loader.load(task_id) for task_id in ids))
    assert [loaded.task.id for loaded in found] == ids
    assert {loaded.agent.id for loaded in found} == {"tester"}
    assert {loaded.task.request.text for loaded in found} == {"go"}


async def test_many_cost_as_many_queries_as_one(waiting):
    ids = await waiting(20)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert list(loading._load(ids, "me")) == ids
        return len(queries)

    assert await in_thread(count) == 3


async def test_those_that_come_meanwhile_are_read_next(waiting, monkeypatch):
    ids, batches, load = await waiting(5), [], loading._load
    monkeypatch.setattr(loading, "_load", lambda ids, owner: batches.append(len(ids)) or load(ids, owner))
    loader = Loader("me")
    await asyncio.gather(*(loader.load(task_id) for task_id in ids[:2]))
    first = asyncio.create_task(loader.load(ids[2]))
    while not batches[1:]:
        await asyncio.sleep(0)
    assert all(await asyncio.gather(first, *(loader.load(task_id) for task_id in ids[3:])))
    assert batches == [2, 1, 2]


async def test_what_is_over_or_somebody_elses_is_not_found(waiting):
    over, taken, free = await waiting(3)
    await Task.objects.filter(id=over).aupdate(state="completed")
    await Task.objects.filter(id=taken).aupdate(lease_owner="elsewhere/ns/1/2", lease_until="2100-01-01T00:00:00Z")
    loader = Loader("me")
    found = await asyncio.gather(*(loader.load(task_id) for task_id in (over, taken, free)))
    assert [loaded is not None for loaded in found] == [False, False, True]


async def test_the_first_of_a_line_goes_first(waiting):
    first, second = await waiting(2, apart=False)
    loader = Loader("me")
    found = await asyncio.gather(loader.load(first), loader.load(second))
    assert [loaded.agent is not None for loaded in found] == [True, False]
    await Task.objects.filter(id=first).aupdate(lease_owner=PARKED)
    assert await loader.load(second) is None, "whoever wakes the first puts it, and its end puts the next"


async def test_an_error_reaches_all_who_wait_and_nobody_after_them(waiting, monkeypatch):
    ids = await waiting(2)
    loader = Loader("me")

    def fail(*_):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(loading, "_load", fail)
        found = await asyncio.gather(*(loader.load(task_id) for task_id in ids), return_exceptions=True)
    assert [type(error) for error in found] == [DatabaseError] * 2
    assert all(await asyncio.gather(*(loader.load(task_id) for task_id in ids)))


async def test_who_is_cancelled_keeps_nobody_waiting(waiting):
    ids = await waiting(2)
    loader = Loader("me")
    gone, other = (asyncio.create_task(loader.load(task_id)) for task_id in ids)
    await asyncio.sleep(0)
    gone.cancel()
    assert (await other).task.id == ids[1]
    assert gone.cancelled()
