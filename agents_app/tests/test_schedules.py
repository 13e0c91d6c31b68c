"""What runs from time to time runs once, however many processes there are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connections
from django.utils import timezone

from agents_app import schedules
from agents_app.actions.scheduled_runs import AGAIN_AFTER_DEATH, claim_due, end_run
from agents_app.models import ScheduledRun
from agents_app.runtime.owner import this_process
from agents_app.runtime.scheduler import Scheduler
from agents_app.schedules import Schedule

HOUR = timedelta(hours=1)
ME, ANOTHER = this_process(), "elsewhere/pid:[1]/5/6"


@pytest.fixture
def schedule() -> Iterator[Callable[..., Schedule]]:
    """Register one for the test, and no other."""
    others = schedules.all_schedules()
    for other in others:
        schedules.remove(other.name)
    made: list[Schedule] = []

    def make(run: Callable[[], object], **when: object) -> Schedule:
        found = Schedule(f"tests.number_{len(made)}", run, **(when or {"every": HOUR}))  # type: ignore[arg-type]
        schedules.add(found)
        made.append(found)
        return found

    yield make
    for found in made:
        schedules.remove(found.name)
    for other in others:
        schedules.add(other)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.django_db(transaction=True)
async def test_it_works(schedule: Callable[..., Schedule]) -> None:
    """Plain functions have a thread of their own, coroutine functions the loop; the ledger says how it went."""
    ran: list[str] = []

    async def on_the_loop() -> None:
        ran.append(threading.current_thread().name)

    schedule(lambda: ran.append(threading.current_thread().name))
    schedule(on_the_loop)
    scheduler = Scheduler(ME)
    for _ in range(3):
        await scheduler.look()
    await until(lambda: not scheduler._running)

    assert sorted(ran) == ["MainThread", "schedule tests.number_0"]
    row = await ScheduledRun.objects.aget(name="tests.number_0")
    assert row.begun_at and row.ended_at and row.begun_at <= row.ended_at and not row.error and not row.runner
    assert abs(row.due_at - row.begun_at - HOUR) < timedelta(seconds=1)


@pytest.mark.django_db(transaction=True)
async def test_one_that_fails_says_why_and_does_not_end_the_others(schedule: Callable[..., Schedule]) -> None:
    ran: list[int] = []

    def fail() -> None:
        raise ValueError("no room")

    schedule(fail)
    schedule(lambda: ran.append(1))
    scheduler = Scheduler(ME)
    await scheduler.look()
    await until(lambda: not scheduler._running)

    assert ran == [1]
    row = await ScheduledRun.objects.aget(name="tests.number_0")
    assert row.error == "ValueError: no room" and row.ended_at and not row.runner


@pytest.mark.django_db(transaction=True)
def test_of_many_that_look_at_once_one_runs_it(schedule: Callable[..., Schedule]) -> None:
    found = [schedule(lambda: None)]

    def look(owner: str) -> list[Schedule]:
        try:
            return claim_due(found, owner)
        finally:
            connections.close_all()

    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(look, [f"elsewhere/pid:[1]/{number}/1" for number in range(8)]))
        assert sorted(len(claim) for claim in claims) == [0] * 7 + [1]
        ScheduledRun.objects.update(due_at=timezone.now(), runner="")


def test_what_still_runs_is_not_begun_again(db: None, schedule: Callable[..., Schedule]) -> None:
    found = [schedule(lambda: None)]
    assert claim_due(found, ANOTHER) == found
    ScheduledRun.objects.update(due_at=timezone.now())

    assert claim_due(found, ME) == []
    end_run(found[0].name, ANOTHER)
    assert claim_due(found, ME) == found


@pytest.mark.parametrize(
    ("runner", "age", "again"),
    [
        (ANOTHER, HOUR, True),
        (ANOTHER, HOUR / 2, False),
        (ME.rpartition("/")[0] + "/1", AGAIN_AFTER_DEATH, True),
        (ME.rpartition("/")[0] + "/1", AGAIN_AFTER_DEATH / 2, False),
        (ME, HOUR / 2, False),
    ],
    ids=["too long ago", "perhaps at work", "known to be dead", "only just died", "at work here"],
)
def test_a_run_whose_process_died_is_made_up_for(
    db: None, schedule: Callable[..., Schedule], runner: str, age: timedelta, again: bool
) -> None:
    found = [schedule(lambda: None)]
    assert claim_due(found, runner) == found
    ScheduledRun.objects.update(begun_at=timezone.now() - age)

    assert claim_due(found, "elsewhere/pid:[1]/7/8") == (found if again else [])
    assert bool(ScheduledRun.objects.get().error) == again


@pytest.mark.django_db(transaction=True)
async def test_what_is_interrupted_by_the_end_of_its_process_runs_in_another(schedule: Callable[..., Schedule]) -> None:
    began = asyncio.Event()

    async def long() -> None:
        began.set()
        await asyncio.sleep(60)

    found = schedule(long)
    running = asyncio.create_task(Scheduler(ANOTHER).run())
    await began.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert await asyncio.to_thread(_claim_and_close, found) == [found]


def _claim_and_close(found: Schedule) -> list[Schedule]:
    try:
        return claim_due([found], ME)
    finally:
        connections.close_all()


def test_once_a_day_at_a_time_of_day() -> None:
    early, late = datetime(2026, 3, 1, 2, 0, tzinfo=UTC), datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
    nightly = Schedule("tests.nightly", lambda: None, at=time(3, 30))

    assert nightly.first(early) == nightly.after(early) == datetime(2026, 3, 1, 3, 30, tzinfo=UTC)
    assert nightly.after(late) == nightly.after(datetime(2026, 3, 1, 3, 30, tzinfo=UTC)).replace(day=2)


def test_a_daily_one_does_not_run_when_it_is_first_seen(db: None, schedule: Callable[..., Schedule]) -> None:
    at = (timezone.now() + 2 * HOUR).time()

    assert claim_due([schedule(lambda: None, at=at)], ME) == []


def test_what_was_missed_is_run_once(db: None, schedule: Callable[..., Schedule]) -> None:
    found = [schedule(lambda: None)]
    claim_due(found, ME)
    end_run(found[0].name, ME)
    ScheduledRun.objects.update(due_at=timezone.now() - 100 * HOUR)

    assert claim_due(found, ME) == found
    end_run(found[0].name, ME)
    assert claim_due(found, ME) == []


def test_a_clock_that_was_set_back_does_not_stop_it(db: None, schedule: Callable[..., Schedule]) -> None:
    """So does a schedule that was made shorter."""
    found = [schedule(lambda: None)]
    claim_due(found, ME)
    end_run(found[0].name, ME)
    ScheduledRun.objects.update(due_at=timezone.now() + 1000 * HOUR)

    claim_due(found, ME)
    assert ScheduledRun.objects.get().due_at <= timezone.now() + HOUR


@pytest.mark.parametrize("when", [{}, {"every": HOUR, "at": time(3)}, {"every": timedelta(0)}])
def test_one_without_a_sensible_time_is_refused(when: dict) -> None:
    with pytest.raises(ValueError, match="tests.odd"):
        Schedule("tests.odd", lambda: None, **when)
