"""Lists at scale: a page of a million messages must not take longer than one of ten thousand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from uuid import uuid4

import psycopg

from bench.machine import data_dir, manage
from bench.tables import show, verdict

SMALL, LARGE = 10_000, 1_000_000
RATIO = 1.5
ROUNDS = 3
HEAD = ("database", "list", "page", f"{SMALL:,}", f"{LARGE:,}", "ratio", "target", "")


def main() -> None:
    rows = _rows("SQLite", {}, {})
    with postgres() as small, postgres() as large:
        rows += _rows("PostgreSQL", {"DATABASE_URL": small}, {"DATABASE_URL": large}) if large else []
    show("Lists, median time of a page by number of messages", HEAD, rows)
    if not large:
        print("PostgreSQL does not answer at its usual local socket, so only SQLite was measured.\n")


def _rows(database: str, of_small: dict[str, str], of_large: dict[str, str]) -> list[list[str]]:
    """Both sizes by turns, so that a machine that is slower for a while is so for both."""
    with data_dir() as near, data_dir() as far:
        small, large = near | of_small, far | of_large
        for environment in (small, large):
            manage(environment, "prepare")
        rounds = [(_times(small, SMALL), _times(large, LARGE)) for _ in range(ROUNDS)]
    rows = []
    for name in rounds[0][0]:
        listed, page = name.split(", ")
        before, after = (median(times[size][name] for times in rounds) for size in (0, 1))
        times = [f"{before * 1e6:,.0f} µs", f"{after * 1e6:,.0f} µs"]
        ratio = median(larger[name] / smaller[name] for smaller, larger in rounds)
        rows.append([database, listed, page, *times, f"{ratio:.2f}", f"≤ {RATIO}", verdict(ratio <= RATIO)])
    return rows


def _times(environment: dict[str, str], messages: int) -> dict[str, float]:
    return dict(json.loads(manage(environment, "bench_lists", str(messages))))


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
