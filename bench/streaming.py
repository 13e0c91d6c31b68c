"""Streaming to many conversations at once, and the same by simpler means."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

from bench import load
from bench.machine import Server, peers, product
from bench.reader import Reader
from bench.schedule import PER_SECOND, PIECES
from bench.tables import medians, milliseconds, percentile, show, verdict

RUNS = 3
PAUSE_SECONDS = 1.5  # between runs, for the last texts to be saved
SIZES = (50, 200, 500)
PEER_SIZE = 500
HEAD = ("conversations", "pieces/s delivered", "lost", "p50 late", "p99 late", "server CPU", "target", "")

Open = Callable[[], Awaitable[list[Reader]]]


def main() -> None:
    rows = []
    for size in SIZES:
        with product(size) as server:
            rows.append((size, asyncio.run(_median_run(server, partial(load.enter_all, server, size)))))
    show("Streaming", HEAD, [_row(str(size), size, figures) for size, figures in rows])
    ours = rows[-1][1]
    compared = [("tkr-agent-chat", ours), *_measure_peers()]
    rates = [_peer_row(name, figures, ours) for name, figures in compared]
    head = ("how", "pieces/s delivered", "lost", "p50 late", "p99 late", "tkr-agent-chat delivers")
    show(f"For scale, {PEER_SIZE} conversations", head, rates)


def _measure_peers() -> list[tuple[str, dict[str, float]]]:
    names = {"direct": "Daphne, one send per piece", "grouped": "Channels in memory, one group_send per piece"}
    found = []
    for path, name in names.items():
        with peers() as server:
            opening = partial(load.connect_all, server, f"/{path}", PEER_SIZE)
            found.append((name, asyncio.run(_median_run(server, opening))))
    return found


async def _median_run(server: Server, open_all: Open) -> dict[str, float]:
    runs = []
    for number in range(RUNS):
        readers = await open_all()
        with load.no_garbage_collection():
            runs.append(await _run(server, readers))
        load.close_all(readers)
        print(f"  {len(readers)} conversations, run {number + 1}: {_brief(runs[-1])}", file=sys.stderr, flush=True)
        await asyncio.sleep(PAUSE_SECONDS)
    return medians(runs)


async def _run(server: Server, readers: list[Reader]) -> dict[str, float]:
    """Starts are spread over one interval of the schedule, as those of people who do not know each other are."""
    start = load.start_together(len(readers))
    for number, reader in enumerate(readers):
        reader.ask(start + number / len(readers) / PER_SECOND, number)
    await asyncio.sleep(start - time.monotonic())
    before = server.processor_seconds()
    await load.finished(readers, start)
    late = [seconds for reader in readers for seconds in reader.lateness()]
    seen = max(seen for reader in readers for seen in reader.arrivals)
    took = seen - min((reader.start for reader in readers if reader.start), default=start)
    return {
        "rate": len(late) / took if late else 0.0,
        "lost": sum(reader.lost for reader in readers),
        "p50": percentile(late, 50),
        "p99": percentile(late, 99),
        "processor": (server.processor_seconds() - before) / took if late else 0.0,
        "unplanned": max(reader.start for reader in readers) - start,
    }


def _brief(run: dict[str, float]) -> str:
    return (
        f"{run['rate']:,.0f} pieces/s, {run['lost']:.0f} lost, p50 {milliseconds(run['p50'])}, "
        f"p99 {milliseconds(run['p99'])}, last start {milliseconds(run['unplanned'])} after the first"
    )


def _figures(figures: dict[str, float]) -> list[str]:
    return [
        f"{figures['rate']:,.0f}",
        f"{figures['lost']:,.0f}",
        milliseconds(figures["p50"]),
        milliseconds(figures["p99"]),
    ]


def _row(name: str, size: int, figures: dict[str, float]) -> list[str]:
    lost, p99, rate = figures["lost"], figures["p99"], figures["rate"]
    targets = {
        50: ("", ""),
        200: ("p99 ≤ 60 ms, 0 lost", verdict(p99 <= 0.060, lost == 0)),
        500: ("≥ 20,000/s, p99 ≤ 500 ms, 0 lost", verdict(rate >= 20_000, p99 <= 0.5, lost == 0)),
    }
    said = f"{name} ({size * PER_SECOND:,}/s said, {PIECES} each)"
    return [said, *_figures(figures), f"{figures['processor']:.0%}", *targets[size]]


def _peer_row(name: str, figures: dict[str, float], ours: dict[str, float]) -> list[str]:
    return [name, *_figures(figures), f"{ours['rate'] / figures['rate']:.1f} × as much"]
