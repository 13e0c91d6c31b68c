"""`make chaos`."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

SECONDS = 60


def test_an_unknown_fault_is_named() -> None:
    command = [sys.executable, "-m", "chaos", "--only", "earthquake"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2 and 'there is no part "earthquake"; choose from' in done.stderr
