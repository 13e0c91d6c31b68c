from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tkr_chat.databases import tuned

POOL = {"min_size": 20, "max_size": 30, "timeout": 30.0}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("db.sqlite3")}
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "chat", "OPTIONS": {"sslmode": "require"}}


def test_it_works() -> None:
    assert tuned(SQLITE, POOL)["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgres_gets_the_pool_and_keeps_what_its_url_says() -> None:
    database = tuned(POSTGRES, POOL)

    assert database["OPTIONS"]["sslmode"] == "require" and database["OPTIONS"]["pool"].items() >= POOL.items()
    assert database["CONN_MAX_AGE"] == 0, "the pool keeps connections, Django must give them back"


@pytest.mark.django_db
def test_a_connection_is_what_it_should_be() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            found = [
                cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "page_size", "foreign_keys")
            ]
            assert found == ["wal", 2048, 1]
        else:
            assert connection.pool is not None
