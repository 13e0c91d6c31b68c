"""A whole installation whose commands run as an operator runs them, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from psycopg import sql

from tkr_chat.tests.processes import environment, manage

PATIENCE_SECONDS = 60
SAY = (
    "from django.utils import timezone; from agents_app.ids import uuid7; from agents_app.models import Message; "
    "from agents_app.actions.attachments import save_attachment; room = uuid7(); "
    "Message.objects.create(context_id=room, seq=1, role='user', text={text!r}, created_at=timezone.now()); "
    "save_attachment(room, {text!r}.encode(), filename={text!r})"
)


class Installation:
    def __init__(self, data: Path, database_url: str) -> None:
        self.data = data
        self.database_url = database_url
        self.variables = {
            "ENV_FILE": "none",
            "EMBEDDED_MODEL": "off",
            "OLLAMA_URL": "",
            "DB_POOL_MIN": "1",
            "LOG_LEVEL": "WARNING",
            **({"DATABASE_URL": database_url} if database_url else {}),
        }

    @property
    def backups(self) -> Path:
        return self.data / "backups"

    def run(self, *command: str, **variables: str) -> str:
        done = manage(self.data, *command, **self.variables | variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def report(self, *command: str, **variables: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*command, "--json", **variables))
        return found

    def refused(self, *command: str, **variables: str) -> str:
        """Why."""
        done = manage(self.data, *command, "--json", **self.variables | variables)
        assert done.returncode == 1, done.stdout + done.stderr
        return str(json.loads(done.stdout)["error"])

    def say(self, text: str) -> None:
        """A first message, and a file attached to it."""
        self.run("shell", "--no-imports", "-c", SAY.format(text=text))

    def say_more(self, text: str) -> None:
        """Another message with a file, past the product: a process of its own takes seconds."""
        digits = uuid4().hex
        place = self.data / "media/attachments" / digits[-2:] / digits
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        file = place.relative_to(self.data / "media").as_posix()
        with self._connected() as database:
            _copy_row(database, "agents_app_message", {"id": digits, "context_id": digits, "text": text})
            _copy_row(database, "agents_app_attachment", {"id": digits, "filename": text, "file": file})

    def said(self, database: str = "") -> list[str]:
        """Every message; and each has its file."""
        with self._connected(database) as found:
            texts = sorted(row[0] for row in found.execute("SELECT text FROM agents_app_message"))
            files = [row[0] for row in found.execute("SELECT file FROM agents_app_attachment")]
        assert sorted((self.data / "media" / file).read_text() for file in files) == texts
        return texts

    def message_ids(self) -> set[str]:
        with self._connected() as found:
            return {str(UUID(str(row[0]))) for row in found.execute("SELECT id FROM agents_app_message")}

    @contextmanager
    def _connected(self, name: str = "") -> Iterator[Any]:
        """`name`: another database than the present one."""
        if not self.database_url:
            connected: Any = sqlite3.connect(name or self.data / "db.sqlite3")
        else:
            connected = psycopg.connect(self.database_url, **({"dbname": name} if name else {}))
        with closing(connected):
            yield connected
            connected.commit()

    def kill_when(self, command: list[str], ready: Callable[[], bool]) -> bool:
        """Run it, and end it with kill -9 as soon as `ready` says so. False: it was faster."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=environment(self.data, **self.variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if ready():
                break
            time.sleep(0.001)
        try:
            os.killpg(process.pid, signal.SIGKILL)  # pg_restore, too, as when the machine goes down
        except ProcessLookupError:
            pass
        return process.wait(PATIENCE_SECONDS) == -signal.SIGKILL

    def databases(self) -> list[str]:
        """Of this installation: the present one, and what is beside it."""
        if not self.database_url:
            return sorted(
                file.name
                for file in self.data.glob("db.sqlite3*")
                if not file.name.endswith(("-wal", "-shm", "-preparing"))
            )
        with psycopg.connect(_maintenance(), autocommit=True) as admin:
            name = self.database_url.partition("?")[0].rpartition("/")[2]
            found = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
            return sorted(row[0] for row in found)


@contextmanager
def installed(data: Path, like: Installation | None = None) -> Iterator[Installation]:
    """Empty, or a copy of another."""
    shutil.copytree(like.data, data) if like else data.mkdir()
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield Installation(data, "")
        return
    name = f"backups_{os.getpid()}_{uuid4().hex[:8]}"
    installation = Installation(data, re.sub(r"^(postgres\w*://[^/]*/)[^?]*", rf"\g<1>{name}", url))
    source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(like.databases()[0])) if like else sql.SQL("")
    with psycopg.connect(_maintenance(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + source)
        try:
            yield installation
        finally:
            for each in installation.databases():
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(each)))


def _copy_row(database: Any, table: str, changes: dict[str, str]) -> None:
    """One that is there, with other values."""
    columns = [column[0] for column in database.execute(f"SELECT * FROM {table} LIMIT 0").description]
    values = [f"'{changes[name]}'" if name in changes else f'"{name}"' for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    database.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} ORDER BY id LIMIT 1")


def _maintenance() -> str:
    return os.environ["DATABASE_URL"]
