"""Several processes prepare the same empty database at once: one does it, and none fails."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from tkr_chat.tests.processes import SECONDS, environment, manage

AT_ONCE = 3


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """Empty, of the kind that the tests run on."""
    url = os.environ.get("DATABASE_URL", "")
    if not settings.ON_POSTGRESQL:
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'chat.sqlite3'}"
        return
    name = f"prepare_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield re.sub(r"^(postgres\w*://[^/]*/)[^?]*", rf"\g<1>{name}", url)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def applied(url: str) -> list[tuple[str, str]]:
    query = "SELECT app, name FROM django_migrations ORDER BY app, name"
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            return file.execute(query).fetchall()
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute(statement)
        return
    with psycopg.connect(url) as connection:
        connection.execute(statement)


def test_it_works(database_url: str, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "manage.py", "prepare"],
            cwd=settings.BASE_DIR,
            env=environment(tmp_path / "data", DATABASE_URL=database_url, DB_POOL_MIN="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(AT_ONCE)
    ]
    told = [process.communicate(timeout=2 * SECONDS) for process in processes]

    assert [process.returncode for process in processes] == [0] * AT_ONCE, told
    assert sum("Made the first administrator" in out for out, _ in told) == 1, told
    migrations = applied(database_url)
    assert len(migrations) > 20 and len(migrations) == len(set(migrations))
    assert manage(tmp_path / "data", "check", "--database", "default", DATABASE_URL=database_url).returncode == 0


def test_one_that_dies_keeps_nobody_waiting(database_url: str, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": database_url, "DB_POOL_MIN": "1"}
    dead = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=settings.BASE_DIR,
        env=environment(tmp_path / "data", **variables),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert dead.stdout and dead.stdout.readline() == "held\n"
    dead.kill()

    assert manage(tmp_path / "data", "prepare", **variables).returncode == 0
    dead.wait(SECONDS)


HOLD = """
import time, django
django.setup()
from tkr_chat.alone import alone
with alone():
    print("held", flush=True)
    time.sleep(300)
"""


def test_a_migration_that_fails_is_told_in_a_sentence(database_url: str, tmp_path: Path) -> None:
    execute(database_url, "CREATE TABLE accounts_user (id integer)")  # somebody else's, in the way

    done = manage(tmp_path / "data", "prepare", DATABASE_URL=database_url, DB_POOL_MIN="1")

    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "The database could not be made ready" in done.stderr and "accounts_user" in done.stderr


def test_data_of_a_newer_version_is_left_alone(database_url: str, tmp_path: Path) -> None:
    variables = {"DATABASE_URL": database_url, "DB_POOL_MIN": "1"}
    assert manage(tmp_path / "data", "prepare", **variables).returncode == 0
    execute(
        database_url, "INSERT INTO django_migrations (app, name, applied) VALUES ('chat', '0999_later', '2030-01-01')"
    )

    for command in ("prepare", "serve", "upgrade"):
        done = manage(tmp_path / "data", command, **variables)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "A newer version has changed this database (it has chat.0999_later)" in done.stderr
    looked = manage(tmp_path / "data", "doctor", **variables)
    assert looked.returncode == 1 and "chat.0999_later is of a newer version." in looked.stdout
