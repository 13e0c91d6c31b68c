"""Who runs a schedule, and when it runs next. Safe with several processes at once, on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from agents_app.models import ScheduledRun
from agents_app.runtime.owner import is_known_dead
from agents_app.schedules import Schedule

AGAIN_AFTER_DEATH = timedelta(minutes=1)  # a run that ends its process each time must not keep the server from working
CLOCKS_DIFFER = timedelta(minutes=1)
DIED = "Its process died in the middle of it."


def claim_due(schedules: Iterable[Schedule], owner: str) -> list[Schedule]:
    """Those that the caller runs now: nobody else does."""
    known = list(schedules)
    rows = ScheduledRun.objects.in_bulk([schedule.name for schedule in known])
    now = timezone.now()
    new = [schedule for schedule in known if schedule.name not in rows]
    if new:
        made = [ScheduledRun(name=schedule.name, due_at=schedule.first(now)) for schedule in new]
        ScheduledRun.objects.bulk_create(made, ignore_conflicts=True)
        rows = ScheduledRun.objects.in_bulk([schedule.name for schedule in known])
    return [schedule for schedule in known if _claim(schedule, rows[schedule.name], owner, now)]


def end_run(name: str, owner: str, error: str = "") -> None:
    """It ran; `error` says why it failed."""
    mine = ScheduledRun.objects.filter(name=name, runner=owner)
    mine.update(runner="", ended_at=timezone.now(), error=error)


def give_back(name: str, owner: str) -> None:
    """It was interrupted because the process ends: another one runs it at once."""
    ScheduledRun.objects.filter(name=name, runner=owner).update(runner="", due_at=timezone.now())


def run_now(runs: QuerySet[ScheduledRun]) -> int:
    """As soon as a process looks, and after a run that goes on now."""
    return runs.update(due_at=timezone.now())


def _claim(schedule: Schedule, row: ScheduledRun, owner: str, now: datetime) -> bool:
    seen = ScheduledRun.objects.filter(name=row.name, due_at=row.due_at, runner=row.runner)
    following = schedule.after(now)
    if row.due_at > following + CLOCKS_DIFFER:  # the schedule was changed, or the clock set back
        seen.update(due_at=following)
        return False
    if row.runner:
        if not _has_died(schedule, row, now):
            return False
        return bool(seen.update(due_at=following, runner=owner, begun_at=now, error=DIED))
    return row.due_at <= now and bool(seen.update(due_at=following, runner=owner, begun_at=now))


def _has_died(schedule: Schedule, row: ScheduledRun, now: datetime) -> bool:
    age = now - row.begun_at if row.begun_at else schedule.longest
    return age >= schedule.longest or (is_known_dead(row.runner) and age >= AGAIN_AFTER_DEATH)
