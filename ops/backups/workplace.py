"""Where a backup is put together or taken apart: one at a time, in a folder that is gone afterwards, also after a kill -9."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from ops.backups.refusals import Busy, CannotStore

LOCK = ".lock"
WORK = ".work"
SPARE_BYTES = 64 * 1024 * 1024


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty folder. Raises `Busy` while another process has one."""
    try:
        settings.BACKUP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (settings.BACKUP_DIR / LOCK).open("w")
    except OSError as error:
        raise CannotStore(
            f"BACKUP_DIR {settings.BACKUP_DIR} cannot be written ({error.strerror}): mend that, or name another."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(Busy.__doc__) from None
        for left in settings.BACKUP_DIR.glob(f"{WORK}-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"{WORK}-", dir=settings.BACKUP_DIR) as folder:
            yield Path(folder)


def require_space(folder: Path, needed: int, otherwise: str = ", or name another disk in BACKUP_DIR") -> None:
    """`otherwise`: what helps besides making room. Raises `CannotStore`."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise CannotStore(
            f"{folder} has {free / 2**20:,.0f} MB free, and {(needed + SPARE_BYTES) / 2**20:,.0f} MB may be needed: "
            f"make room{otherwise}."
        )
