"""Python and `manage.py` in a process of their own, with the product's settings and a data folder apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

SECONDS = 180  # a machine may have much else to do


def environment(data: Path, **more: str) -> dict[str, str]:
    """Without the variables of the tests themselves."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return inherited | {"DJANGO_SETTINGS_MODULE": "tkr_chat.settings", "DATA_DIR": str(data)} | more


def python(data: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment(data, **variables),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def manage(data: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return python(data, "manage.py", *command, **variables)
