"""The short form of `make chaos`: a few faults and a short soak, with processes, PostgreSQL and Redis of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.conf import settings

SECONDS = 400  # on a machine that has other things to do


@pytest.mark.postgresql
def test_it_works() -> None:
    command = [sys.executable, "-m", "chaos", "--only", "worker-answer,commit-answer,soak", "--soak-seconds", "10"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| kept") == 3


def test_an_unknown_fault_is_named() -> None:
    command = [sys.executable, "-m", "chaos", "--only", "earthquake"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2 and 'there is no part "earthquake"; choose from' in done.stderr
