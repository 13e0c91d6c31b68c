"""How the two databases are set up for many threads and many writers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connection

SQLITE_BUSY_SECONDS = 20
OWNER_ONLY = 0o600
RECONNECT_SECONDS = 24 * 3600.0  # a pool that gives up sooner leaves those who wait in it waiting
SQLITE_PRAGMAS = (
    # Of a new file: a commit writes every page that it touches as a whole, and most rows and keys are small.
    "PRAGMA page_size=2048",
    "PRAGMA journal_mode=WAL",  # readers do not wait for the writer
    "PRAGMA synchronous=NORMAL",  # in WAL a power cut cannot corrupt the file, only take the last commits
    f"PRAGMA busy_timeout={SQLITE_BUSY_SECONDS * 1000}",
    "PRAGMA foreign_keys=ON",
    # KiB per connection, each of which fills its own with time. Past it the system's cache has the pages, for all at once.
    "PRAGMA cache_size=-3000",
    # Checkpoints write to the disk and wait for it. `lifetime` makes them beside the writer; these pages are how far it may
    # lag behind before the writer does it itself.
    "PRAGMA wal_autocheckpoint=64000",
)


def tuned(database: dict[str, Any], pool: dict[str, Any]) -> dict[str, Any]:
    """`database` as a URL describes it, and what this server needs besides. `pool` is for PostgreSQL."""
    if database["ENGINE"].endswith("sqlite3"):
        return database | {"ENGINE": "tkr_chat.sqlite3", "CONN_MAX_AGE": None, "OPTIONS": _sqlite_options()}
    options = database.get("OPTIONS", {}) | {"pool": pool | {"reconnect_timeout": RECONNECT_SECONDS}}
    return database | {"ENGINE": "tkr_chat.postgresql", "CONN_MAX_AGE": 0, "OPTIONS": options}


def checkpoint() -> None:
    """Move what was committed from SQLite's write-ahead log into its file; nobody waits for it."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def keep_private() -> None:
    """What people say is in this file: nobody else on the machine reads it. Its companions (-wal, -shm) get its mode."""
    if connection.vendor == "sqlite" and (file := Path(str(connection.settings_dict["NAME"]))).is_file():
        file.chmod(OWNER_ONLY)


def _sqlite_options() -> dict[str, Any]:
    return {
        "timeout": SQLITE_BUSY_SECONDS,
        # A transaction that starts by reading cannot become a writer while another writes: it fails at once, unwaited.
        "transaction_mode": "IMMEDIATE",
        "init_command": ";".join(SQLITE_PRAGMAS),
    }
