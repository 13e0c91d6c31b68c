"""Old samples go while somebody writes: how long the longest of many small commits had to wait."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.lists import postgres
from bench.machine import ROOT, data_dir, free_port, manage, running
from bench.tables import milliseconds, percentile, show, verdict

SAMPLES = 10_000_000
CALM_SECONDS = 20.0
LONGEST_SECONDS = 0.1
HEAD = ("database", "while", "in", "commits", "p50", "p99.9", "longest wait", "target", "")


def main() -> None:
    on_sqlite()
    on_postgresql()


def on_sqlite() -> None:
    _show(_measured("SQLite", {}))


def on_postgresql() -> None:
    with postgres() as url:
        if url:
            _show(_measured("PostgreSQL", {"DATABASE_URL": url}))
        else:
            print("PostgreSQL does not answer at its usual local socket, so it was not measured.\n")


def _show(rows: list[list[str]]) -> None:
    show(f"A writer while {SAMPLES:,} old samples are removed", HEAD, rows)


def _measured(database: str, variables: dict[str, str]) -> list[list[str]]:
    """Beside a server that serves, because it makes SQLite's checkpoints."""
    with data_dir() as folder:
        environment = folder | variables | {"BACKUP_AT": "off", "DB_POOL_MIN": "2"}
        manage(environment, "prepare")
        manage(environment, "bench_samples", str(SAMPLES))
        port = free_port()
        with running([sys.executable, "manage.py", "serve", "--no-link", "--port", str(port)], environment, port):
            with _writing(environment) as calm:
                time.sleep(CALM_SECONDS)
            with _writing(environment) as waits:
                outcome = json.loads(manage(environment, "prunemetrics", "--json"))
    assert outcome["removed"] == SAMPLES, f"only {outcome['removed']:,} samples were removed"
    rate = f"{outcome['seconds']:,.0f} s"
    return [
        [database, "nothing else happens", f"{CALM_SECONDS:.0f} s", *_waited(calm), "", ""],
        [database, "samples are removed", rate, *_waited(waits), *_target(max(waits))],
    ]


@contextmanager
def _writing(environment: dict[str, str]) -> Iterator[list[float]]:
    """The list is filled when the block has ended."""
    command = [sys.executable, "manage.py", "bench_writer"]
    writer = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    waits: list[float] = []
    try:
        yield waits
        waits += json.loads(writer.communicate("end\n", timeout=60)[0])
    finally:
        writer.kill()
        writer.wait()


def _waited(waits: list[float]) -> list[str]:
    ordered = sorted(waits)
    return [
        f"{len(waits):,}",
        milliseconds(percentile(ordered, 50)),
        milliseconds(percentile(ordered, 99.9)),
        milliseconds(ordered[-1]),
    ]


def _target(longest: float) -> list[str]:
    return [f"≤ {milliseconds(LONGEST_SECONDS)}", verdict(longest <= LONGEST_SECONDS)]
