from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection

from ops.backups.refusals import Damaged, InUse
from ops.backups.snapshots import Snapshot, quoted
from ops.backups.stores.disk import sync_folder

STEP_PAGES = 256  # a mebibyte
PAUSE_SECONDS = 0.003  # between steps: the disk is for those who chat
BESIDE = ".beside-"
COMPANIONS = ("-wal", "-shm", "-journal")
SERVER_RUNS = "Somebody has the database open: stop the server, and every other command, first."


class SQLite:
    vendor = "sqlite"

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._path = Path(config["NAME"])

    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def snapshot(self, file: Path, say: Callable[[int, int], None]) -> Snapshot:
        """An open read transaction holds one state of the file: whoever writes meanwhile goes on in the write-ahead log, and
        SQLite need not begin the copy anew, as it does otherwise."""
        with _opened(self._path) as source, _opened(file, "rwc") as copy:
            copy.execute("PRAGMA synchronous=OFF")
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(
                copy, pages=STEP_PAGES, sleep=PAUSE_SECONDS, progress=lambda _, left, all_: say(all_ - left, all_)
            )
        return _contents(file)

    def beside(self, purpose: str) -> dict[str, Any]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._config | {"NAME": self._path.with_name(f"{self._path.name}{BESIDE}{purpose}-{uuid4().hex[:8]}")}

    def load(self, file: Path, config: dict[str, Any]) -> None:
        try:
            os.link(file, config["NAME"])
        except OSError:  # another file system
            shutil.copyfile(file, config["NAME"])

    def inspect(self, config: dict[str, Any]) -> Snapshot:
        try:
            with _opened(Path(config["NAME"])) as found:
                problems = [row[0] for row in found.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
                problems += [
                    f"a row of {row[0]} names one that is not there"
                    for row in found.execute("PRAGMA foreign_key_check")
                ]
        except sqlite3.DatabaseError as error:
            problems = [str(error)]
        if problems:
            raise Damaged(f"SQLite finds that the database is damaged: {'; '.join(problems[:3])}.")
        return _contents(Path(config["NAME"]))

    def drop(self, config: dict[str, Any]) -> None:
        _remove(Path(config["NAME"]))

    def drop_left_over(self) -> None:
        for left in self._path.parent.glob(f"{self._path.name}{BESIDE}*"):
            left.unlink(missing_ok=True)

    def require_nobody(self) -> None:
        """Only whoever is alone can leave the write-ahead log; and then all of the data is in one file."""
        connection.close()
        if not self._path.exists():
            return
        with _opened(self._path) as present:
            try:
                mode = present.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            except sqlite3.OperationalError:
                mode = "wal"
            if mode == "wal":
                raise InUse(SERVER_RUNS)

    def swap(self, config: dict[str, Any]) -> str:
        new = Path(config["NAME"])
        with _opened(new) as alone:
            alone.execute("PRAGMA journal_mode=DELETE")
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        kept = self._path.with_name(f"{self._path.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        with self._held():
            if self._path.exists():
                os.link(self._path, kept)
            new.replace(self._path)
        sync_folder(self._path.parent)
        return str(kept) if kept.exists() else ""

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Nobody writes into the file that is put aside."""
        self.require_nobody()
        if not self._path.exists():
            yield
            return
        with _opened(self._path) as present:
            try:
                present.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise InUse(SERVER_RUNS) from None
            yield
            present.execute("ROLLBACK")


@contextmanager
def _opened(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as opened:
        yield opened


def _contents(path: Path) -> Snapshot:
    with _opened(path) as found:
        names = [row[0] for row in found.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        tables = {
            name: found.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]  # noqa: S608  (quoted)
            for name in names
            if not name.startswith("sqlite_")
        }
        applied = "SELECT app, name FROM django_migrations ORDER BY id"
        migrations = [list(row) for row in found.execute(applied)] if "django_migrations" in tables else []
    return Snapshot(f"SQLite {sqlite3.sqlite_version}", migrations, tables)


def _remove(path: Path) -> None:
    for suffix in ("", *COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
