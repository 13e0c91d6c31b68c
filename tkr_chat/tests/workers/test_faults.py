"""Workers die and are restarted; nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from agents_app.models import Event, Message, Task
from agents_app.runtime.leases import lease_end
from agents_app.tests.runtime.conftest import Room
from tkr_chat.tests.workers.cast.agents import WORDS
from tkr_chat.tests.workers.conftest import Worker, settle

pytestmark = pytest.mark.postgresql

ANSWER = "".join(f"w{number} " for number in range(WORDS))
RECOVERY_SECONDS = 15  # what is promised


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def until_saying(room: Room) -> None:
    """In the middle of its words, some of them saved; so the tool before them had finished."""
    async with asyncio.timeout(20):
        while not await Message.objects.filter(context_id=room.id, text__startswith="w0").aexists():
            await asyncio.sleep(0.02)


async def answers(task: Task) -> list[str]:
    return [m.text async for m in Message.objects.filter(task=task, role=Message.Role.AGENT).order_by("seq")]


async def assert_gapless(context_id: object) -> None:
    numbers = [event.seq async for event in Event.objects.filter(context_id=context_id).order_by("seq")]
    assert numbers == list(range(1, len(numbers) + 1))


async def took_over(task: Task, before: str) -> float:
    """Seconds until another process works on it."""
    begun = time.monotonic()
    async with asyncio.timeout(20):
        while (await Task.objects.aget(id=task.id)).lease_owner in ("", before):
            await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def test_it_works(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    """`kill -9` in mid-answer."""
    first, second = work(), work()
    first.until_ready(), second.until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await room.ask("mason", f"{path} one 4")
    await until_saying(room)
    owner = (await Task.objects.aget(id=task.id)).lease_owner
    dead = first if f"/{first.process.pid}/" in owner else second
    dead.kill()

    assert await took_over(task, owner) < RECOVERY_SECONDS
    (task,) = await settle(task)
    assert task.state == "completed" and task.attempts == 2
    assert await answers(task) == [ANSWER]
    assert lines(path) == ["one begins", "one ends"]
    await assert_gapless(room.id)


async def test_a_worker_of_another_machine_is_missed_when_its_lease_ends(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """Nobody here can see that it is dead."""
    room, path = await web(), tmp_path / "trace"
    room.runtime.queue.put = lambda *ids: None
    task = await room.ask("mason", f"{path} one 0")
    fields = {"state": "working", "attempts": 1, "lease_owner": "elsewhere/pid:[1]/2/3"}
    await Task.objects.filter(id=task.id).aupdate(**fields, lease_until=timezone.now() + timedelta(minutes=5))
    work().until_ready()
    await Task.objects.filter(id=task.id).aupdate(lease_until=lease_end())  # it lived until now

    begun = time.monotonic()
    (task,) = await settle(task)
    assert task.state == "completed" and time.monotonic() - begun < RECOVERY_SECONDS


async def test_killed_in_mid_tool(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    """Its result was not known, so it is called again; the one that had finished is not."""
    first = work().until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await room.ask("slow", str(path))
    await until(lambda: "second" in lines(path))
    first.kill()
    work().until_ready()

    (task,) = await settle(task)
    assert task.state == "completed" and await answers(task) == ["done"]
    assert lines(path) == ["first", "second", "second"]


async def test_a_task_that_kills_its_workers_is_given_up_in_words(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    room = await web()
    task = await room.ask("deadly", "go")
    for _ in range(3):
        worker = work().until_ready()
        await until(lambda worker=worker: worker.process.poll() is not None)
    work().until_ready()

    (task,) = await settle(task)
    assert task.state == "failed" and "began 3 times" in (await room.said())[-1].error


async def test_a_killed_delegation_is_asked_once(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    first = work().until_ready()
    room, path = await web(), tmp_path / "trace"
    task = await room.ask("boss", f"{path} one 4")
    await until_saying(room)
    first.kill()
    work().until_ready()

    (task,) = await settle(task)
    assert task.state == "completed" and (await answers(task))[-1] == f"Mason says {ANSWER}"
    assert await Task.objects.filter(parent=task).acount() == 1
    assert lines(path) == ["one begins", "one ends"]


async def test_a_rolling_restart_under_a_hundred_tasks(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """None fails, none is done twice, and nobody waits for a lease to end."""
    old = [work("--concurrency", "60") for _ in range(2)]
    for worker in old:
        worker.until_ready()
    path, rooms = tmp_path / "trace", [await web() for _ in range(100)]
    tasks = [await room.ask("mason", f"{path} {number} 6") for number, room in enumerate(rooms)]
    await until(lambda: len(lines(path)) == 100)
    for worker in old:
        new = work("--concurrency", "100").until_ready()
        assert worker.terminate() == 0, worker.log
        assert new.process.poll() is None

    tasks = await settle(*tasks, seconds=90)
    assert {task.state for task in tasks} == {"completed"}
    assert {task.attempts for task in tasks} == {1}, "a hand-over is no attempt"
    assert sorted(lines(path)) == sorted(f"{n} {what}" for n in range(100) for what in ("begins", "ends"))
    for task in tasks:
        assert await answers(task) == [ANSWER]
    for room in rooms:
        await assert_gapless(room.id)


async def test_a_worker_that_cannot_reach_its_queue_goes_on(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """Every connection is cut, as when PostgreSQL restarts: what runs goes on, and what comes is taken."""
    worker = work().until_ready()
    room, other, path = await web(), await web(), tmp_path / "trace"
    task = await room.ask("mason", f"{path} one 4")
    await until_saying(room)
    await asyncio.to_thread(cut_connections)
    later = await other.ask("mason", f"{path} two 0")

    tasks = await settle(task, later, seconds=30)
    assert [task.state for task in tasks] == ["completed"] * 2, worker.log
    assert sorted(lines(path)) == ["one begins", "one ends", "two begins", "two ends"]
    assert [await answers(task) for task in tasks] == [[ANSWER]] * 2
    assert worker.terminate() == 0, worker.log


def cut_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'worker'"
        )
        assert len(cursor.fetchall()) >= 3, "the journal, the pool of jobs and who listens to them"
    connection.close()
