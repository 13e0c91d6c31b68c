"""The database as a whole: to copy it, to fill another one beside it, and to put that in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connections

from ops.backups.postgresql import PostgreSQL
from ops.backups.snapshots import Snapshot
from ops.backups.sqlite import SQLite

Config = dict[str, Any]  # Django's settings of one database
Say = Callable[[int, int], None]  # so much of so much


@dataclass(frozen=True, slots=True)
class Beside:
    """A database that is filled beside the present one."""

    config: Config
    name: str


class Database(Protocol):
    vendor: str

    def size(self) -> int:
        """Bytes, roughly."""
        ...

    def snapshot(self, file: Path, say: Say) -> Snapshot:
        """A copy as of one moment; nobody waits for it."""
        ...

    def beside(self, purpose: str) -> Config:
        """A new and empty database, near the present one."""
        ...

    def load(self, file: Path, config: Config) -> None: ...

    def inspect(self, config: Config) -> Snapshot:
        """What is in it, and whether it is sound. Raises `Damaged`."""
        ...

    def drop(self, config: Config) -> None: ...

    def drop_left_over(self) -> None:
        """What a process that was killed has left beside the present one."""
        ...

    def require_nobody(self) -> None:
        """Raises `InUse`."""
        ...

    def swap(self, config: Config) -> str:
        """In one step: it becomes the present one, which is kept under the name that is returned; empty: there was none."""
        ...


def the_database() -> Database:
    config = connections.settings[DEFAULT_DB_ALIAS]
    return SQLite(config) if config["ENGINE"].endswith("sqlite3") else PostgreSQL(config)


@contextmanager
def standing_in(config: Config) -> Iterator[None]:
    """Whatever asks for the default database inside the block gets this one. For processes that serve nobody."""
    before, settings = connections[DEFAULT_DB_ALIAS], connections.settings[DEFAULT_DB_ALIAS]
    connections.settings[DEFAULT_DB_ALIAS] = config
    del connections[DEFAULT_DB_ALIAS]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections.settings[DEFAULT_DB_ALIAS] = settings
        connections[DEFAULT_DB_ALIAS] = before
