"""An agent that hangs in a worker: an operator restarts it from another process, and it holds up nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agents_app.actions.restarts import restart_task
from agents_app.actions.tasks import cancel_task
from agents_app.models import Task
from agents_app.threads import in_thread
from tkr_chat.tests.workers.conftest import Worker, settle
from tkr_chat.tests.workers.test_faults import answers, assert_gapless, lines, until

pytestmark = pytest.mark.postgresql

SOON_SECONDS = 10
END_SECONDS = 25  # less than systemd gives


async def hanging(room, path: Path, how: str) -> Task:
    task = await room.ask("deaf", f"{path} {how}")
    await until(lambda: "hangs" in lines(path))
    return await Task.objects.select_related("agent").aget(id=task.id)


@pytest.mark.parametrize("how", ["loop", "thread"])
async def test_it_works(web: Callable, work: Callable[..., Worker], tmp_path: Path, how: str) -> None:
    """With one place only, which the hung one must give back; what its tool did is not done again."""
    worker = work("--concurrency", "1").until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await hanging(room, path, how)
    begun = time.monotonic()
    await in_thread(restart_task, task)

    (task,) = await settle(task)
    assert task.state == "completed" and time.monotonic() - begun < SOON_SECONDS, worker.log
    assert await answers(task) == ["first second"] and lines(path) == ["begins", "hangs"]
    await assert_gapless(room.id)


async def test_another_worker_takes_it_when_that_one_is_full(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    first = work("--concurrency", "1").until_ready()
    room, other, path = await web(), await web(), tmp_path / "trace"
    task = await hanging(room, path, "loop")
    busy = await other.ask("mason", f"{tmp_path / 'other'} one 8")  # gets the place as soon as there is one
    second = work("--concurrency", "1").until_ready()
    await until(lambda: lines(tmp_path / "other"))
    await in_thread(restart_task, task)

    tasks = await settle(task, busy)
    assert [one.state for one in tasks] == ["completed"] * 2, first.log + second.log
    assert await answers(task) == ["first second"]


async def test_a_stop_that_is_ignored_gives_the_place_back(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = work("--concurrency", "1").until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await hanging(room, path, "loop")
    later = await room.ask("mason", f"{tmp_path / 'other'} one 0")
    await cancel_task(task)

    (later,) = await settle(later, seconds=SOON_SECONDS)
    assert later.state == "completed", worker.log
    assert (await Task.objects.aget(id=task.id)).state == "canceled"


@pytest.mark.parametrize("how", ["loop", "thread"])
async def test_told_to_end_it_ends_and_hands_over(
    web: Callable, work: Callable[..., Worker], tmp_path: Path, how: str
) -> None:
    worker = work().until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await hanging(room, path, how)
    begun = time.monotonic()
    assert await asyncio.to_thread(worker.terminate) == 0, worker.log
    assert time.monotonic() - begun < END_SECONDS
    work().until_ready()

    (task,) = await settle(task, seconds=SOON_SECONDS)
    assert task.state == "completed" and task.attempts == 1 and await answers(task) == ["first second"]
