"""A whole installation: `manage.py serve` and `manage.py rungrpc` on data of their own, and people with tokens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import psycopg
from django.conf import settings

from tkr_chat.tests.processes import SECONDS, environment, manage
from tkr_chat.tests.server import free_port, serving

MAKE_TOKEN = (
    "from accounts.models import User; from accounts.actions.api_tokens import make_token; "
    "user, _ = User.objects.get_or_create(username='{name}'); "
    "print(make_token(user, 'tests')[1])"
)


class Site:
    def __init__(self, data: Path, database_url: str, **variables: str) -> None:
        self.grpc = f"127.0.0.1:{free_port()}"
        self.address = ""
        self.data = data
        self._tokens: dict[str, str] = {}
        self.variables = {
            "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.a2a.settings",
            "ENV_FILE": "none",
            "EMBEDDED_MODEL": "off",
            "OLLAMA_URL": "",
            "DB_POOL_MIN": "2",
            "OUTGOING_ALLOW": "127.0.0.1",
            "A2A_GRPC_URL": self.grpc,
            "AGENTS_DRAIN_SECONDS": "1",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **({"REDIS_URL": os.environ["REDIS_URL"]} if os.environ.get("REDIS_URL") else {}),
            **variables,
        }

    def manage(self, *command: str) -> str:
        done = manage(self.data, *command, **self.variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """The last line that the code printed."""
        return self.manage("shell", "--no-imports", "-c", code).split()[-1]

    def token(self, name: str) -> str:
        """Of somebody who is made for it."""
        if name not in self._tokens:
            self._tokens[name] = self.shell(MAKE_TOKEN.format(name=name))
        return self._tokens[name]

    def card_url(self, agent: str = "clerk", version: str = "1.0") -> str:
        return f"{self.address}/a2a/{agent}" + ("/v0.3" if version == "0.3" else "")


@contextmanager
def site(data: Path, name: str, **variables: str) -> Iterator[Site]:
    with own_database(name) as url:
        found = Site(data, url, **variables)
        found.manage("prepare")
        with serving(data, "--no-link", **found.variables) as server, _grpc(found):
            found.address = server.address
            yield found


@contextmanager
def _grpc(site: Site) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "rungrpc", "--port", site.grpc.rpartition(":")[2]],
        cwd=settings.BASE_DIR,
        env=environment(site.data, **site.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    too_late = Timer(SECONDS, process.kill)  # ends the reading, too
    too_late.start()
    assert process.stdout
    said = process.stdout.readline()
    too_late.cancel()
    try:
        assert "is served on" in said, said + process.stdout.read()
        yield
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0, process.stdout.read()


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """Empty for SQLite; on PostgreSQL a database for this installation alone."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield ""
        return
    database = f"{name}_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"')
        yield re.sub(r"^(postgres\w*://[^/]*/)[^?]*", rf"\g<1>{database}", url)
        connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
