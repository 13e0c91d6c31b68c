"""Tasks run in workers: in order, by priority, within limits, on as many of them as there are."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agents_app.actions.tasks import cancel_task
from agents_app.models import Agent, Message, Task, Via
from tkr_chat.tests.processes import manage
from tkr_chat.tests.workers.cast.agents import WORDS
from tkr_chat.tests.workers.conftest import Worker, settle

pytestmark = pytest.mark.postgresql

ANSWER = "".join(f"w{number} " for number in range(WORDS))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def test_it_works(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    worker = work().until_ready()
    room = await web()
    path = tmp_path / "trace"
    task = await room.ask("mason", f"{path} one 0.1")

    (task,) = await settle(task)
    assert task.state == "completed" and task.attempts == 1
    assert [message.text for message in await room.said()][1] == ANSWER
    assert lines(path) == ["one begins", "one ends"]
    assert worker.terminate() == 0


async def test_a_delegation_needs_no_place_of_its_own(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """With one place in all, whoever waits would wait for ever."""
    work("--concurrency", "1").until_ready()
    room = await web()
    tasks = [await room.ask("boss", f"{tmp_path / 'trace'} {number} 0") for number in range(3)]

    assert [task.state for task in await settle(*tasks)] == ["completed"] * 3
    assert lines(tmp_path / "trace") == [f"{n} {what}" for n in range(3) for what in ("begins", "ends")]


async def test_a_delegation_to_another_queue_runs_in_its_workers(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    await Agent.objects.filter(id="mason").aupdate(queue="heavy")
    work("--concurrency", "1", "--queues", "agents").until_ready()
    work("--concurrency", "1", "--queues", "heavy").until_ready()
    room = await web()
    tasks = [await room.ask("boss", f"{tmp_path / 'trace'} {number} 0.2") for number in range(2)]

    assert [task.state for task in await settle(*tasks)] == ["completed"] * 2


async def test_messages_of_one_conversation_to_one_agent_stay_in_order(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    work().until_ready()
    work().until_ready()
    path, rooms = tmp_path / "trace", [await web() for _ in range(4)]
    asked = [(r, n, await room.ask("mason", f"{path} {r}.{n} 0")) for n in range(6) for r, room in enumerate(rooms)]

    tasks = await settle(*(task for _, _, task in asked))
    assert {task.state for task in tasks} == {"completed"}
    for r in range(len(rooms)):
        mine = [line for line in lines(path) if line.startswith(f"{r}.")]
        assert mine == [f"{r}.{n} {what}" for n in range(6) for what in ("begins", "ends")]


async def test_people_go_before_programs(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    path = tmp_path / "trace"
    rooms = [await web() for _ in range(5)]
    programs = [await room.ask("smith", f"{path} program 0.1") for room in rooms[:4]]
    await Task.objects.filter(id__in=[task.id for task in programs]).aupdate(via=Via.A2A)
    await rooms[0].runtime.queue.drain(1)
    await asyncio.to_thread(_forget_jobs)
    rooms[0].runtime.queue.put(*(task.id for task in programs))
    person = await rooms[4].ask("smith", f"{path} person 0.1")
    await rooms[0].runtime.queue.drain(1)
    work("--concurrency", "1").until_ready()

    await settle(*programs, person)
    assert [line.split()[0] for line in lines(path)] == ["person", *["program"] * 4]


def _forget_jobs() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    connection.close()


async def test_an_agent_has_no_more_tasks_at_once_than_it_may(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """Over all workers; and its places are not left empty while something waits for them."""
    await Agent.objects.filter(id="smith").aupdate(at_once=3)
    for _ in range(2):
        work().until_ready()
    path = tmp_path / "trace"
    tasks = [await (await web()).ask("smith", f"{path} {number} 0.3") for number in range(15)]

    begun = time.monotonic()
    assert {task.state for task in await settle(*tasks)} == {"completed"}
    took = time.monotonic() - begun
    times = [tuple(map(float, line.split()[1:])) for line in lines(path)]
    assert len(times) == 15
    most = max(sum(begin <= at < end for begin, end in times) for at, _ in times)
    assert 2 <= most <= 3, most
    assert took < 15, "five rounds of 0.3 seconds; a place that waits for the next look of a worker costs three"


async def test_what_was_committed_and_never_put_runs(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    """The web process died between the commit and the queue."""
    room = await web()
    room.runtime.queue.put = lambda *ids: None
    task = await room.ask("mason", f"{tmp_path / 'trace'} one 0")
    work().until_ready()

    assert (await settle(task, seconds=15))[0].state == "completed"


async def test_a_stop_reaches_the_worker(web: Callable, work: Callable[..., Worker], tmp_path: Path) -> None:
    work().until_ready()
    room = await web()
    task = await room.ask("mason", f"{tmp_path / 'trace'} one 60")
    while not lines(tmp_path / "trace"):
        await asyncio.sleep(0.02)
    begun = time.monotonic()
    await cancel_task(await Task.objects.aget(id=task.id))

    assert time.monotonic() - begun < 2.5
    assert (await Task.objects.aget(id=task.id)).state == "canceled"
    assert [m.state async for m in Message.objects.filter(task=task, role="agent")] == ["stopped"]


def test_workers_need_their_queue(tmp_path: Path) -> None:
    done = manage(tmp_path, "runagents")
    assert done.returncode == 1 and "set AGENTS_QUEUE=procrastinate" in done.stderr


@pytest.mark.parametrize(
    "more", [{}, {"DATABASE_URL": "postgres://nowhere/chat"}, {"REDIS_URL": "redis://127.0.0.1:1"}]
)
def test_the_queue_needs_postgresql_and_redis(tmp_path: Path, more: dict[str, str]) -> None:
    done = manage(tmp_path, "check", AGENTS_QUEUE="procrastinate", **more)
    assert done.returncode == 1 and "needs PostgreSQL and Redis" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--concurrency", "0"), ("--concurrency", "many"), ("--queues", " , ")])
def test_arguments_that_make_no_sense_are_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    done = manage(
        tmp_path, "runagents", *arguments, DATABASE_URL="postgres://nowhere/x", REDIS_URL=os.environ["REDIS_URL"]
    )
    assert done.returncode != 0 and arguments[0] in done.stderr


async def test_a_stop_reaches_what_was_delegated_to_another_worker(
    web: Callable, work: Callable[..., Worker], tmp_path: Path
) -> None:
    await Agent.objects.filter(id="mason").aupdate(queue="heavy")
    for queue in ("agents", "heavy"):
        work("--queues", queue).until_ready()
    room = await web()
    task = await room.ask("boss", f"{tmp_path / 'trace'} one 60")
    while not lines(tmp_path / "trace"):
        await asyncio.sleep(0.02)
    await cancel_task(await Task.objects.aget(id=task.id))

    child = await Task.objects.aget(parent=task)
    assert [found.state for found in await settle(task, child, seconds=10)] == ["canceled"] * 2
