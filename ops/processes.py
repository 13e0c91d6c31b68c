"""`manage.py` in a process of its own: what is heavy must not take turns with those who chat."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)

NICE = "10"


class CommandFailed(Exception):
    """The text is what it said last."""


def run_command(*arguments: str) -> None:
    """Waits for it. Raises `CommandFailed`."""
    done = subprocess.run(_line(arguments), capture_output=True, text=True, check=False)  # noqa: S603  (our own)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}").splitlines()
        raise CommandFailed(f"manage.py {arguments[0]}: {said[-1]}")


def start_command(*arguments: str, then: Callable[[str], None]) -> None:
    """Returns at once; `then` is told what went wrong, or nothing. The command goes on when this process ends."""

    def work() -> None:
        failure = ""
        try:
            run_command(*arguments)
        except CommandFailed as failed:
            failure = str(failed)
            logger.error("%s", failure, extra={"action": "command.failed"})  # noqa: TRY400  (no traceback of ours)
        try:
            then(failure)
        finally:
            connections.close_all()

    threading.Thread(target=work, name=f"manage.py {arguments[0]}", daemon=True).start()


def _line(arguments: tuple[str, ...]) -> list[str]:
    nice = shutil.which("nice")
    polite = [nice, "-n", NICE] if nice else []
    return [*polite, sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
