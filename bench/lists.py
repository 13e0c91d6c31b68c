"""Lists at scale: a page of a million messages must not take longer than one of ten thousand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from bench.machine import data_dir, manage
from bench.tables import show, verdict

SMALL, LARGE = 10_000, 1_000_000
RATIO = 1.5
HEAD = ("database", "list", "page", f"{SMALL:,}", f"{LARGE:,}", "ratio", "target", "")


def main() -> None:
    rows = _rows("SQLite", {})
    with postgres() as url:
        rows += _rows("PostgreSQL", {"DATABASE_URL": url}) if url else []
    show("Lists, median time of a page by number of messages", HEAD, rows)
    if not url:
        print("PostgreSQL does not answer at its usual local socket, so only SQLite was measured.\n")


def _rows(database: str, variables: dict[str, str]) -> list[list[str]]:
    with data_dir() as folder:
        environment = folder | variables
        manage(environment, "prepare")
        small = json.loads(manage(environment, "bench_lists", str(SMALL)))
        large = json.loads(manage(environment, "bench_lists", str(LARGE)))
    rows = []
    for name, before in small.items():
        listed, page = name.split(", ")
        ratio = large[name] / before
        times = [f"{before * 1e6:,.0f} µs", f"{large[name] * 1e6:,.0f} µs"]
        rows.append([database, listed, page, *times, f"{ratio:.2f}", f"≤ {RATIO}", verdict(ratio <= RATIO)])
    return rows


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database that is gone afterwards; empty when no server answers here."""
    name = f"tkr_chat_bench_{uuid4().hex[:8]}"
    try:
        admin = psycopg.connect("postgresql:///postgres?host=/var/run/postgresql", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        yield ""
        return
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"postgres:///{name}?host=/var/run/postgresql"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
