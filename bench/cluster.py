"""The product on several processes: PostgreSQL and Redis of its own, two web processes, two workers, and this client, all on
the same cores."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import load
from bench.machine import CORES, Server, data_dir, free_port, manage, running
from bench.reader import Reader
from bench.servers import Postgres, Redis
from bench.tables import milliseconds, percentile, show, verdict

SIZES = (10, 50, 200)
WRITERS = 40
WRITE_SECONDS = 10.0
ASKED_APART_SECONDS = 0.1
ABOVE_INLINE_SECONDS = 0.060
INLINE = {"AGENTS_QUEUE": "inline"}
WORKERS = {"AGENTS_QUEUE": "procrastinate"}


def main() -> None:
    os.sched_setaffinity(0, CORES)
    with tempfile.TemporaryDirectory(prefix="tkr-chat-bench-") as folder:
        postgres, redis = Postgres(Path(folder)), Redis()
        try:
            _measure(postgres, redis)
        finally:
            redis.kill()
            postgres.stop()


def _measure(postgres: Postgres, redis: Redis) -> None:
    with cluster(postgres, redis, "inline", INLINE, webs=1, workers=0) as servers:
        inline = asyncio.run(_first_pieces(servers))
    with cluster(postgres, redis, "workers", WORKERS, webs=2, workers=2) as servers:
        first = asyncio.run(_first_pieces(servers))
        accepted = asyncio.run(_accepted(servers))
        streamed = [(size, asyncio.run(_stream(servers, size))) for size in SIZES]
    _show_first(inline, first)
    writing = [
        [str(writers), f"{rate:,.0f}", milliseconds(p50), milliseconds(p99)] for writers, rate, p50, p99 in accepted
    ]
    show("Messages accepted", ("writers", "messages/s", "p50", "p99"), writing)
    rows = [
        [str(size), f"{rate:,.0f}", str(lost), milliseconds(p50), milliseconds(p99)]
        for size, (rate, lost, p50, p99) in streamed
    ]
    show("Streaming through workers", ("conversations", "pieces/s delivered", "lost", "p50 late", "p99 late"), rows)


def _show_first(inline: list[float], first: list[float]) -> None:
    above = percentile(first, 50) - percentile(inline, 50)
    rows = [
        [name, milliseconds(percentile(waits, 50)), milliseconds(percentile(waits, 99)), *more]
        for name, waits, more in (
            ("inline, one process", inline, ("", "")),
            ("2 web, 2 workers", first, (milliseconds(above), verdict(above <= ABOVE_INLINE_SECONDS))),
        )
    ]
    show("From Send to the first piece", ("where", "p50", "p99", "p50 above inline (≤ 60 ms)", ""), rows)


@contextmanager
def cluster(
    postgres: Postgres, redis: Redis, name: str, settings: dict[str, str], *, webs: int, workers: int
) -> Iterator[list[Server]]:
    postgres.sql(f"CREATE DATABASE {name}")
    with data_dir() as folder, ExitStack() as stack:
        environment = (
            folder | {"DATABASE_URL": postgres.url(name), "REDIS_URL": redis.url, "DB_POOL_MIN": "4"} | settings
        )
        environment |= {f"RATE_PER_MINUTE_{what}": "0" for what in ("ADDRESS", "API", "FRAMES", "MESSAGES")}
        manage(environment, "prepare")
        people = json.loads(manage(environment, "bench_seed", str(max(SIZES))))
        for _ in range(workers):
            stack.enter_context(running([sys.executable, "manage.py", "runagents"], environment, cores=set(CORES)))
        servers = []
        for _ in range(webs):
            port = free_port()
            serve = [sys.executable, "manage.py", "serve", "--no-link", "--port", str(port)]
            servers.append(
                Server(stack.enter_context(running(serve, environment, port, cores=set(CORES))), port, people)
            )
        time.sleep(2)  # workers print when they are ready, and listen on no port
        yield servers


async def _enter(servers: list[Server], count: int) -> list[Reader]:
    readers = [Reader(conversation) for _, conversation in servers[0].people[:count]]
    for number, reader in enumerate(readers):
        await reader.enter(servers[number % len(servers)].port, servers[0].people[number][0])
    return readers


async def _first_pieces(servers: list[Server]) -> list[float]:
    readers = await _enter(servers, SIZES[1])
    asked = []
    for reader in readers:
        asked.append(time.monotonic())
        reader.ask(0.0, 0)
        await asyncio.sleep(ASKED_APART_SECONDS)
    await load.finished(readers, 0)
    load.close_all(readers)
    return [reader.first_seen - at for reader, at in zip(readers, asked, strict=True) if reader.first_seen]


async def _stream(servers: list[Server], size: int) -> tuple[float, int, float, float]:
    readers = await _enter(servers, size)
    start = load.start_together(size)
    for number, reader in enumerate(readers):
        reader.ask(start, number)
    await load.finished(readers, start)
    late = [seconds for reader in readers for seconds in reader.lateness()]
    ends = max(seen for reader in readers for seen in reader.arrivals)
    load.close_all(readers)
    rate = len(late) / (ends - start) if late else 0.0
    return rate, sum(reader.lost for reader in readers), percentile(late, 50), percentile(late, 99)


class _Writer(Reader):
    """Writes as soon as what it wrote is saved."""

    def __init__(self, conversation: str) -> None:
        super().__init__(conversation)
        self.waits: list[float] = []

    def write(self) -> None:
        self.written_at = time.monotonic()
        self.ask(self.written_at + WRITE_SECONDS * 100, 0)

    def hear(self, payload: bytes) -> None:
        if b'"message.saved"' in payload[:40]:
            self.waits.append(time.monotonic() - self.written_at)
            self.write()
        elif b'"session.opened"' in payload[:40] or b'"conversation.opened"' in payload[:60]:
            super().hear(payload)


async def _accepted(servers: list[Server]) -> list[tuple[int, float, float, float]]:
    """Tasks only wait meanwhile: an agent answers one message of a conversation after the other."""
    found = []
    people = servers[0].people
    for count in (WRITERS // 4, WRITERS):
        writers = [_Writer(people[number][1]) for number in range(count)]
        for number, writer in enumerate(writers):
            await writer.enter(servers[number % len(servers)].port, people[number][0])
        for writer in writers:
            writer.write()
        await asyncio.sleep(WRITE_SECONDS)
        load.close_all(writers)
        waits = [wait for writer in writers for wait in writer.waits]
        found.append((count, len(waits) / WRITE_SECONDS, percentile(waits, 50), percentile(waits, 99)))
    return found
