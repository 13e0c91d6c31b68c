"""What became of a commit whose answer never came, because the connection was lost or the database went away."""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection
from django.db.backends.base.base import BaseDatabaseWrapper

LOOK_AGAIN_SECONDS = 0.1
FULL = ("database or disk is full", "No space left on device")  # SQLite's words, and PostgreSQL's


class DatabaseAway(OperationalError):
    """The database does not answer."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class ConnectionLost(OperationalError):
    """The connection was lost, and nothing was saved."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Receipt:
    """The number of a transaction in PostgreSQL, by which a later connection learns whether it was committed.

    Nothing else tells it for every kind of entry: saved again, a change that was saved already would be refused by its
    own check. SQLite has no connection to lose.
    """

    def __init__(self, database: BaseDatabaseWrapper) -> None:
        self._database = database
        self._connection: Any = None
        self._cursor: Any = None
        self._number: str | None = None

    def begin(self) -> None:
        """The transaction has begun."""
        self._connection = self._database.connection

    def is_lost(self, error: BaseException) -> bool:
        """Whether its connection is gone, and not just a statement refused. Django may have opened another by now."""
        if self._database.vendor != "postgresql" or not isinstance(error, (OperationalError, InterfaceError)):
            return False
        return self._connection is None or self._connection.closed or self._database.connection is None

    def ask(self) -> None:
        """Inside the pipeline of what is written: it costs no round trip of its own."""
        if self._database.vendor == "postgresql":
            self._cursor = self._database.cursor()
            self._cursor.execute("SELECT pg_current_xact_id()::text")

    def take(self) -> None:
        if self._cursor is not None:
            self._number = self._cursor.fetchone()[0]
            self._cursor.close()

    def was_committed(self, seconds: float) -> bool:
        """Blocks until the database says so, for so long; raises `DatabaseAway` when it does not."""
        if self._number is None:  # the commit was never asked for
            return False
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            close_old_connections()
            try:
                if (status := _status(self._number)) != "in progress":
                    return status == "committed"
            except (OperationalError, InterfaceError):
                pass
            time.sleep(LOOK_AGAIN_SECONDS)
        raise DatabaseAway


def is_full(error: BaseException) -> bool:
    """Whether there is no room left on the database's disk."""
    return any(words in str(error) for words in FULL)


def _status(number: str) -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_xact_status(%s::xid8)", [number])
            return str(cursor.fetchone()[0])
    except DatabaseError:
        if connection.connection is not None and not connection.connection.closed:
            return "unknown here"  # a server that lost its last commits never had this one
        raise
