"""What is done every night without anybody asking for it."""

from __future__ import annotations

from datetime import time, timedelta

from agents_app import schedules
from agents_app.schedules import Schedule
from ops.processes import run_command

LONGEST = timedelta(hours=8)
PRUNE_AT = time(4, 21)


def back_up_and_prove() -> None:
    run_command("backup", "--prove")
    run_command("prunebackups")


def prune() -> None:
    run_command("prune")


def add_schedules(backup_at: time | None) -> None:
    if backup_at is not None:
        schedules.add(Schedule("ops.back_up", back_up_and_prove, at=backup_at, longest=LONGEST))
    schedules.add(Schedule("ops.prune", prune, at=PRUNE_AT, longest=LONGEST))
