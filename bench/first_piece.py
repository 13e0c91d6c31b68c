"""From an agent's first piece to the browser's socket: a commit, the message as HTML, and the piece itself."""

from __future__ import annotations

import asyncio
import sys

from bench import load
from bench.machine import Server, product
from bench.tables import milliseconds, percentile, show, verdict

CONVERSATIONS = 50
RUNS = 3
SPREAD_SECONDS = 4.0  # as long as an answer: all stream at once, no two begin together
GATHER_SECONDS = 0.030  # AGENTS_GATHER_SECONDS, as it is when nobody sets it
ABOVE_SECONDS = 0.015


def main() -> None:
    with product(CONVERSATIONS) as server:
        runs = asyncio.run(_runs(server))
    waits = sorted(runs, key=lambda run: percentile(run, 50))[RUNS // 2]
    p50, p99 = percentile(waits, 50), percentile(waits, 99)
    limit = GATHER_SECONDS + ABOVE_SECONDS
    target = f"p50 ≤ {milliseconds(limit)} (gathering {milliseconds(GATHER_SECONDS)} + {milliseconds(ABOVE_SECONDS)})"
    row = [str(CONVERSATIONS), milliseconds(p50), milliseconds(p99), target, verdict(p50 <= limit)]
    show("First piece to the socket", ("conversations", "p50", "p99", "target", ""), [row])


async def _runs(server: Server) -> list[list[float]]:
    runs = []
    readers = await load.enter_all(server, CONVERSATIONS)
    for number in range(RUNS):
        with load.no_garbage_collection():
            for shift, reader in enumerate(readers):
                reader.forget()
                reader.ask(0.0, shift)
                await asyncio.sleep(SPREAD_SECONDS / CONVERSATIONS)
            await load.finished(readers, 0)
        runs.append([reader.first_seen - reader.said_at for reader in readers])
        print(f"  run {number + 1}: p50 {milliseconds(percentile(runs[-1], 50))}", file=sys.stderr, flush=True)
        await asyncio.sleep(1)
    load.close_all(readers)
    return runs
