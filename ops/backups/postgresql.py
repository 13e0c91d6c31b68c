from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from ops.backups.refusals import InUse, Refused
from ops.backups.snapshots import Snapshot

NAME_BYTES_MAX = 63
BESIDE = "_beside_"
LOOK_SECONDS = 0.2
TABLES = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg\\_%'
    ORDER BY schemaname, tablename
"""


class PostgreSQL:
    vendor = "postgresql"

    def __init__(self, config: dict[str, Any]) -> None:
        options = {name: value for name, value in config["OPTIONS"].items() if name != "pool"}
        self._config = config | {"OPTIONS": options}  # a pool would keep connections to what is to be renamed
        self._name: str = config["NAME"]

    def size(self) -> int:
        with self._connected() as present:
            return _one(present, "SELECT pg_database_size(current_database())")

    def snapshot(self, file: Path, say: Callable[[int, int], None]) -> Snapshot:
        """What is counted and what `pg_dump` writes is one and the same state."""
        with self._connected(autocommit=False) as present:
            present.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            present.read_only = True
            moment = _one(present, "SELECT pg_export_snapshot()")
            dump = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--snapshot={moment}"]
            with _watched(file, _one(present, "SELECT pg_database_size(current_database())"), say):
                self._run("pg_dump", self._name, *dump, f"--file={file}")
            return _contents(present)

    def beside(self, purpose: str) -> dict[str, Any]:
        ending = f"{BESIDE}{purpose}_{uuid4().hex[:8]}"
        name = self._name[: NAME_BYTES_MAX - len(ending)] + ending
        with self._maintenance() as admin:
            try:
                admin.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(name), self._like(admin))
                )
            except psycopg.errors.InsufficientPrivilege:
                raise Refused(
                    "The database's user may not make databases, and a backup is restored into one of its own first: "
                    f"let it, with ALTER ROLE {self._config['USER'] or 'name'} CREATEDB."
                ) from None
        return self._config | {"NAME": name}

    def _like(self, admin: psycopg.Connection[Any]) -> sql.Composable:
        """Characters are kept and sorted as in the present database, when there is one."""
        query = "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = %s"
        found = admin.execute(query, [self._name]).fetchone()
        words = [] if found is None else zip(("ENCODING", "LC_COLLATE", "LC_CTYPE"), found, strict=True)
        return sql.SQL(" ").join(sql.SQL(f"{word} {{}}").format(sql.Literal(value)) for word, value in words)

    def load(self, file: Path, config: dict[str, Any]) -> None:
        flags = ["--no-owner", "--no-privileges", "--exit-on-error", "--jobs=2"]
        self._run("pg_restore", config["NAME"], *flags, str(file))

    def inspect(self, config: dict[str, Any]) -> Snapshot:
        with self._connected(config["NAME"]) as found:
            found.execute("ANALYZE")
            return _contents(found)

    def drop(self, config: dict[str, Any]) -> None:
        self._drop(config["NAME"])

    def drop_left_over(self) -> None:
        begins = self._name[: NAME_BYTES_MAX - len(f"{BESIDE}restore_") - 8] + BESIDE
        with self._maintenance() as admin:
            left = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [begins]).fetchall()
        for (name,) in left:
            self._drop(name)

    def require_nobody(self) -> None:
        connection.close()
        connections[DEFAULT_DB_ALIAS].close_pool()  # type: ignore[attr-defined]
        with self._maintenance() as admin:
            others = _one(admin, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", self._name)
        if others:
            raise InUse(
                f"{others} connections to the database {self._name} are open: stop the server, and every other "
                "command, first."
            )

    def swap(self, config: dict[str, Any]) -> str:
        self.require_nobody()
        ending = f"_before_{datetime.now(UTC):%Y%m%d_%H%M%S}"
        kept = self._name[: NAME_BYTES_MAX - len(ending)] + ending
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with self._maintenance() as admin, admin.transaction():
            there = _one(admin, "SELECT count(*) FROM pg_database WHERE datname = %s", self._name)
            try:
                if there:
                    admin.execute(rename.format(sql.Identifier(self._name), sql.Identifier(kept)))
                admin.execute(rename.format(sql.Identifier(config["NAME"]), sql.Identifier(self._name)))
            except psycopg.errors.ObjectInUse:
                raise InUse(f"Somebody connected to the database {self._name}: stop the server first.") from None
        return kept if there else ""

    def _drop(self, name: str) -> None:
        with self._maintenance() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _connected(self, name: str = "", *, autocommit: bool = True) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self._conninfo(name or self._name, secret=True), autocommit=autocommit) as connected:
            yield connected

    @contextmanager
    def _maintenance(self) -> Iterator[psycopg.Connection[Any]]:
        """Databases are made and renamed from another one."""
        for name in ("postgres", "template1"):
            if name != self._name:
                try:
                    connected = psycopg.connect(self._conninfo(name, secret=True), autocommit=True)
                except psycopg.OperationalError:
                    continue
                with connected:
                    yield connected
                return
        raise Refused(
            'The databases "postgres" and "template1" cannot be reached: let the database\'s user connect to one of them.'
        )

    def _conninfo(self, name: str, *, secret: bool) -> str:
        params = DatabaseWrapper(self._config, DEFAULT_DB_ALIAS).get_connection_params()
        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        hidden = set() if secret else {"password"}
        return make_conninfo(
            **{key: value for key, value in params.items() if key in known - hidden} | {"dbname": name}
        )

    def _run(self, program: str, database: str, *arguments: str) -> None:
        path = shutil.which(program)
        if path is None:
            raise Refused(f"{program} is not installed: install the client programs of PostgreSQL (postgresql-client).")
        password = self._config["PASSWORD"]  # not among the arguments, which every user of the machine may read
        done = subprocess.run(  # noqa: S603  (a program of the system, without a shell)
            [path, f"--dbname={self._conninfo(database, secret=False)}", *arguments],
            env={"HOME": str(Path.home()), "LC_ALL": "C.UTF-8"} | ({"PGPASSWORD": password} if password else {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = re.sub(r"^\w+: error: ", "", (done.stderr.strip() or "no reason given").splitlines()[-1])
            raise Refused(f"{program} failed: {last}")


@contextmanager
def _watched(file: Path, whole: int, say: Callable[[int, int], None]) -> Iterator[None]:
    """`pg_dump` does not tell how far it is; its file does, roughly."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            say(min(file.stat().st_size if file.exists() else 0, whole), whole)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _one(connected: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    row = connected.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def _contents(connected: psycopg.Connection[Any]) -> Snapshot:
    tables = {}
    for schema, table in connected.execute(TABLES).fetchall():
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        row = connected.execute(count).fetchone()
        tables[table if schema == "public" else f"{schema}.{table}"] = row[0] if row else 0
    migrations: list[list[str]] = []
    if "django_migrations" in tables:
        migrations = [list(row) for row in connected.execute("SELECT app, name FROM django_migrations ORDER BY id")]
    version = connected.info.server_version
    return Snapshot(f"PostgreSQL {version // 10000}.{version % 10000}", migrations, tables)
