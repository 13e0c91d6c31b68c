"""Backups at scale: how fast they are made, proven and restored, and what people who watch answers notice of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from bench import load
from bench.lists import postgres
from bench.machine import CORES, ROOT, Server, data_dir, free_port, manage, running
from bench.reader import Reader
from bench.schedule import PER_SECOND
from bench.tables import milliseconds, show, verdict

MESSAGES = 1_000_000
WATCHERS = 50
PAUSE_SECONDS = 0.2  # the longest that a stream may stand still
HEAD = ("database", "what", "seconds", "messages/s", "MB", "MB/s")
WATCHED = ("database", "while", "pieces", "lost", "longest pause", "target", "")


def main() -> None:
    on_sqlite()
    on_postgresql()


def on_sqlite() -> None:
    _show(*_measured("SQLite", {}))


def on_postgresql() -> None:
    with postgres() as url:
        if url:
            _show(*_measured("PostgreSQL", {"DATABASE_URL": url}))
        else:
            print("PostgreSQL does not answer at its usual local socket, so it was not measured.\n")


def _show(speeds: list[list[str]], watched: list[list[str]]) -> None:
    show(f"Backup and restore of {MESSAGES:,} messages", HEAD, speeds)
    show(f"{WATCHERS} conversations stream while a backup is made", WATCHED, watched)


def _measured(database: str, variables: dict[str, str]) -> tuple[list[list[str]], list[list[str]]]:
    with data_dir() as folder:
        environment = folder | variables | {"BACKUP_AT": "off"}
        manage(environment, "prepare")
        manage(environment, "bench_lists", str(MESSAGES))
        people = json.loads(manage(environment, "bench_seed", str(WATCHERS)))
        with _served(environment, people) as server:
            watched = asyncio.run(_watch(database, server, environment))
        return _speeds(database, environment), watched


@contextmanager
def _served(environment: dict[str, str], people: list[tuple[str, str]]) -> Iterator[Server]:
    port = free_port()
    arguments = [sys.executable, "manage.py", "serve", "--no-link", "--port", str(port)]
    with running(arguments, environment, port) as process:
        yield Server(process, port, people)


def _speeds(database: str, environment: dict[str, str]) -> list[list[str]]:
    made = json.loads(manage(environment, "backup", "--json"))
    rows = [_speed(database, "backup", made["seconds"], made["bytes"])]
    for what, command in (("proof", ["verifybackup"]), ("restore", ["restore", "latest", "--yes"])):
        began = time.monotonic()
        manage(environment, *command, "--json")
        rows.append(_speed(database, what, time.monotonic() - began, made["bytes"]))
    return rows


def _speed(database: str, what: str, seconds: float, size: int) -> list[str]:
    megabytes = size / 2**20
    rates = f"{MESSAGES / seconds:,.0f}", f"{megabytes:,.0f}", f"{megabytes / seconds:,.1f}"
    return [database, what, f"{seconds:,.1f}", *rates]


async def _watch(database: str, server: Server, environment: dict[str, str]) -> list[list[str]]:
    """The same streams, without a backup and with one, until that is made."""
    calm = await _stream(server, lambda: False)
    backup = _begin_backup(environment)
    busy = await _stream(server, lambda: backup.poll() is None)
    if backup.wait():
        raise SystemExit("The backup failed; what it wrote is above.")
    return [_seen(database, "nothing else happens", calm), _seen(database, "a backup is made", busy)]


def _begin_backup(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """As the server begins it: politely, and on any core."""
    command = ["nice", "-n", "10", sys.executable, "manage.py", "backup", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, CORES)
    return process


async def _stream(server: Server, goes_on: Any) -> dict[str, float]:
    pieces = 0
    pauses: list[float] = []
    lost = 0
    while True:
        readers = await load.enter_all(server, WATCHERS)
        with load.no_garbage_collection():
            await _one_round(readers)
        pieces += sum(1 for reader in readers for arrival in reader.arrivals if arrival)
        pauses += [_longest_pause(reader) for reader in readers]
        lost += sum(reader.lost for reader in readers)
        load.close_all(readers)
        if not goes_on():
            return {"pieces": pieces, "lost": lost, "pause": max(pauses)}


async def _one_round(readers: list[Reader]) -> None:
    start = load.start_together(len(readers))
    for number, reader in enumerate(readers):
        reader.ask(start + number / len(readers) / PER_SECOND, number)
    await asyncio.sleep(start - time.monotonic())
    await load.finished(readers, start)


def _longest_pause(reader: Reader) -> float:
    """Between two pieces that came one after the other; those of one frame came together."""
    seen = sorted(arrival for arrival in reader.arrivals if arrival)
    return max((later - earlier for earlier, later in pairwise(seen)), default=float("inf"))


def _seen(database: str, meanwhile: str, figures: dict[str, float]) -> list[str]:
    reached = verdict(figures["pause"] <= PAUSE_SECONDS, figures["lost"] == 0)
    counts = f"{figures['pieces']:,.0f}", f"{figures['lost']:,.0f}"
    return [
        database,
        meanwhile,
        *counts,
        milliseconds(figures["pause"]),
        f"≤ {milliseconds(PAUSE_SECONDS)}, 0 lost",
        reached,
    ]
