from __future__ import annotations

from datetime import time

import pytest

from agents_app import schedules
from ops.nightly import add_schedules
from ops.processes import CommandFailed, run_command


def test_it_works() -> None:
    found = {schedule.name: schedule.at for schedule in schedules.all_schedules()}

    assert found["ops.back_up"] == time(3, 12) and "ops.prune" in found


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "_schedules", {})
    add_schedules(None)
    assert [schedule.name for schedule in schedules.all_schedules()] == ["ops.prune"]


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(CommandFailed, match="verifybackup"):
        run_command("verifybackup", "/nowhere/tkr-nothing.backup")
