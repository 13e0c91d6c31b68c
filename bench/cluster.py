"""Two web processes and two workers, with ten conversations, with a hundred and with a thousand."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import load
from bench.machine import CORES, Server
from bench.reader import Reader
from bench.several import DATABASE, Several, several
from bench.tables import milliseconds, percentile, show, verdict
from bench.takeover import seconds_until_taken_over
from bench.writer import Writer

SIZES = (10, 100, 1000)
WRITE_SECONDS = 8.0
FIRST_PIECES = 50
ASKED_APART_SECONDS = 0.1
PAUSE_SECONDS = 1.5  # for the last answers to be over
SPOKEN_SECONDS = 1.0  # when the worker is killed
ABOVE_INLINE_SECONDS = 0.060
RECOVERY_SECONDS = 15.0


@dataclass
class Figures:
    size: int
    inline: list[float]  # seconds from Send to the first piece
    first: list[float]
    streamed: tuple[float, int, list[float]]  # pieces a second, pieces lost, how late each was
    accepted: list[float]  # seconds from Send until it was saved
    taken_over: float


def main() -> None:
    of_sizes(SIZES)


def of_sizes(sizes: Sequence[int]) -> None:
    os.sched_setaffinity(0, CORES)
    found = [_measure(size) for size in sizes]
    show("From Send to the first piece", FIRST_HEAD, [_first_row(figures) for figures in found])
    show("Streaming through workers", STREAM_HEAD, [_stream_row(figures) for figures in found])
    show("Messages accepted, and a worker that is killed", REST_HEAD, [_rest_row(figures) for figures in found])


def _measure(size: int) -> Figures:
    with several(2 * size) as product:
        with product.serving("inline", webs=1, workers=0) as servers:
            inline = asyncio.run(_first_pieces(servers, size))
        with product.serving("procrastinate", webs=2, workers=2) as servers:
            first = asyncio.run(_first_pieces(servers, size))
            streamed = asyncio.run(_stream(servers, size))
            taken_over = asyncio.run(_kill_worker(product, servers, size))
            accepted = asyncio.run(_accepted(servers, size))
    return Figures(size, inline, first, streamed, accepted, taken_over)


async def _enter(servers: list[Server], readers: Sequence[Reader], first: int = 0) -> None:
    limit = asyncio.Semaphore(load.AT_ONCE)

    async def enter(number: int, reader: Reader) -> None:
        async with limit:
            await reader.enter(servers[number % len(servers)].port, servers[0].people[first + number][0])

    await asyncio.gather(*(enter(number, reader) for number, reader in enumerate(readers)))


async def _readers(servers: list[Server], size: int) -> list[Reader]:
    readers = [Reader(conversation) for _, conversation in servers[0].people[:size]]
    await _enter(servers, readers)
    return readers


async def _first_pieces(servers: list[Server], size: int) -> list[float]:
    """All look at their conversations, and some ask, one after the other. The first time nobody counts: processes have
    just begun."""
    readers = await _readers(servers, size)
    waits: list[float] = []
    for counts in (False, True):
        waits = await _ask_in_turn(readers[:FIRST_PIECES])
        _say(f"{len(readers)} conversations, {'first pieces' if counts else 'warm'}", waits)
        await asyncio.sleep(PAUSE_SECONDS)
    load.close_all(readers)
    return waits


async def _ask_in_turn(readers: list[Reader]) -> list[float]:
    asked = []
    for reader in readers:
        reader.forget()
        asked.append(time.monotonic())
        reader.ask(0.0, 0)
        await asyncio.sleep(ASKED_APART_SECONDS)
    await load.finished(readers, 0)
    return [reader.first_seen - at for reader, at in zip(readers, asked, strict=True) if reader.first_seen]


async def _stream(servers: list[Server], size: int) -> tuple[float, int, list[float]]:
    readers, start = await _all_ask(servers, size)
    await load.finished(readers, start)
    late = [seconds for reader in readers for seconds in reader.lateness()]
    ends = max(seen for reader in readers for seen in reader.arrivals)
    load.close_all(readers)
    _say(f"{size} conversations, pieces late", late)
    return len(late) / (ends - start), sum(reader.lost for reader in readers), late


async def _kill_worker(product: Several, servers: list[Server], size: int) -> float:
    """Everybody's answer is being said, half of them by the worker that dies."""
    readers, start = await _all_ask(servers, size)
    await asyncio.sleep(start + SPOKEN_SECONDS - time.monotonic())
    worker = product.workers[0]
    worker.kill()
    await asyncio.to_thread(worker.wait)
    seconds = await asyncio.to_thread(seconds_until_taken_over, product.postgres, DATABASE, worker.pid)
    await load.finished(readers, start)
    load.close_all(readers)
    _say(f"{size} conversations, taken over", [seconds])
    return seconds


async def _all_ask(servers: list[Server], size: int) -> tuple[list[Reader], float]:
    readers = await _readers(servers, size)
    start = load.start_together(size)
    for number, reader in enumerate(readers):
        reader.ask(start, number)
    return readers, start


async def _accepted(servers: list[Server], size: int) -> list[float]:
    """In conversations of their own: their answers wait, and the readers' would have to wait behind them."""
    writers = [Writer(conversation) for _, conversation in servers[0].people[size:]]
    await _enter(servers, writers, size)
    for writer in writers:
        writer.write()
    await asyncio.sleep(WRITE_SECONDS)
    load.close_all(writers)
    waits = [wait for writer in writers for wait in writer.waits]
    _say(f"{size} conversations, accepted", waits)
    return waits


def _say(what: str, seconds: list[float]) -> None:
    p50, p99 = milliseconds(percentile(seconds, 50)), milliseconds(percentile(seconds, 99))
    print(f"  {what}: {len(seconds):,}, p50 {p50}, p99 {p99}", file=sys.stderr, flush=True)


FIRST_HEAD = ("conversations", "inline p50", "p99", "2 web, 2 workers p50", "p99", "p50 above inline (≤ 60 ms)", "")
STREAM_HEAD = ("conversations", "pieces/s delivered", "lost", "p50 late", "p99 late")
REST_HEAD = ("conversations", "messages/s accepted", "p50", "p99", "its tasks run elsewhere after (≤ 15 s)", "")


def _first_row(figures: Figures) -> list[str]:
    above = percentile(figures.first, 50) - percentile(figures.inline, 50)
    waits = [milliseconds(percentile(of, percent)) for of in (figures.inline, figures.first) for percent in (50, 99)]
    return [str(figures.size), *waits, milliseconds(above), verdict(above <= ABOVE_INLINE_SECONDS)]


def _stream_row(figures: Figures) -> list[str]:
    rate, lost, late = figures.streamed
    return [str(figures.size), f"{rate:,.0f}", str(lost), *(milliseconds(percentile(late, of)) for of in (50, 99))]


def _rest_row(figures: Figures) -> list[str]:
    waits = [milliseconds(percentile(figures.accepted, of)) for of in (50, 99)]
    rate = f"{len(figures.accepted) / WRITE_SECONDS:,.0f}"
    recovered = verdict(figures.taken_over <= RECOVERY_SECONDS)
    return [str(figures.size), rate, *waits, f"{figures.taken_over:.1f} s", recovered]
