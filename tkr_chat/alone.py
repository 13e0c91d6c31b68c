"""One process at a time, of all that begin on the same database: the others wait for it, then find its work done."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections

LOOK_AGAIN_SECONDS = 0.2
PREPARING = 7_214_650_011_204  # the number of our advisory lock; it means nothing


def alone() -> AbstractContextManager[None]:
    """Raises `OperationalError` when the database does not answer."""
    return _advisory_lock() if connection.vendor == "postgresql" else _file_lock()


@contextmanager
def _advisory_lock() -> Iterator[None]:
    """Held by a connection of its own, so it is gone when this process dies, and whatever else is done to the others.

    Asked for again and again: an index that is made beside running statements would wait for one that waits for this lock.
    """
    holder = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with holder.cursor() as cursor:
            while not _take(cursor):
                time.sleep(LOOK_AGAIN_SECONDS)
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])
    finally:
        holder.close()


def _take(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [PREPARING])
    return bool(cursor.fetchone()[0])


@contextmanager
def _file_lock() -> Iterator[None]:
    """Beside the database: whoever uses one file finds the other."""
    path = Path(f"{connection.settings_dict['NAME']}-preparing")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:  # closing it lets go, also when this process dies
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
