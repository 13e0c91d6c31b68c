"""A worker takes jobs for all its free places at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings

from agents_app import runtime
from agents_app.models import Agent, Task, Via
from tkr_chat.tests.workers.conftest import Worker, settle

if settings.ON_POSTGRESQL:  # the tables are its own
    from procrastinate.contrib.django.models import ProcrastinateJob

    from agents_app.runtime.queue_jobs import TAKE_AT_ONCE, Jobs
    from agents_app.runtime.queue_procrastinate import WorkerQueue

pytestmark = pytest.mark.postgresql


async def waiting(web: Callable, count: int, agent: str = "mason") -> list[UUID]:
    """Tasks with a job each, in the order in which they were made."""
    room = await web()
    tasks = [await room.ask(agent, "trace one 0") for _ in range(count)]
    await room.runtime.queue.drain(1)
    return [task.id for task in tasks]


async def test_it_works(web: Callable) -> None:
    ids = await waiting(web, 5)
    async with Jobs(None) as jobs:
        assert await jobs.next(3) == ids[:3]
        assert await jobs.next(3) == ids[3:]
    assert not await ProcrastinateJob.objects.aexists()


async def test_the_most_urgent_are_first(web: Callable) -> None:
    ids = await waiting(web, 3)
    await ProcrastinateJob.objects.all().adelete()
    await Task.objects.filter(id__in=ids[:2]).aupdate(via=Via.A2A)
    room = await web()
    room.runtime.queue.put(*ids)
    await room.runtime.queue.drain(1)
    async with Jobs(None) as jobs:
        assert await jobs.next(3) == [ids[2], *ids[:2]]


async def test_only_of_its_queues(web: Callable) -> None:
    await Agent.objects.filter(id="mason").aupdate(queue="heavy")
    heavy, other = await waiting(web, 2), await waiting(web, 2, "smith")
    async with Jobs(["heavy"]) as jobs:
        assert await jobs.next(9) == heavy
    async with Jobs(["heavy", "agents"]) as jobs:
        assert await jobs.next(9) == other


async def test_of_many_that_come_at_once_some_are_left_to_others(web: Callable) -> None:
    ids = await waiting(web, TAKE_AT_ONCE + 5)
    async with Jobs(None) as one, Jobs(None) as other:
        assert (await one.next(1000), await other.next(1000)) == (ids[:TAKE_AT_ONCE], ids[TAKE_AT_ONCE:])


async def test_who_is_cancelled_gives_back_what_it_took(web: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, taken, take = await waiting(web, 3), asyncio.Event(), Jobs._take

    async def take_slowly(jobs: Jobs, places: int) -> list[UUID]:
        found = await take(jobs, places)
        taken.set()
        await asyncio.sleep(0.1)
        return found

    async with Jobs(None) as jobs:
        with monkeypatch.context() as patch:
            patch.setattr(Jobs, "_take", take_slowly)
            pulling = asyncio.create_task(jobs.next(2))
            await taken.wait()
            pulling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pulling
        assert sorted(await jobs.next(9)) == ids


async def test_a_worker_that_is_stopped_while_it_connects_stops(transactional_db: None) -> None:
    """psycopg swallows what cancels it at some moments."""
    for moment in range(80):
        queue = WorkerQueue(runtime.current(), 1)
        queue.begin()
        await asyncio.sleep(moment * 0.0004)
        async with asyncio.timeout(10):
            await queue.drain(0)


async def test_a_worker_has_no_more_tasks_than_places(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    path = tmp_path / "trace"
    tasks = [await (await web()).ask("smith", f"{path} {number} 0.3") for number in range(10)]
    work("--concurrency", "3").until_ready()

    assert {task.state for task in await settle(*tasks)} == {"completed"}
    times = [tuple(map(float, line.split()[1:])) for line in path.read_text().splitlines()]
    assert len(times) == 10
    assert max(sum(begin <= at < end for begin, end in times) for at, _ in times) == 3
