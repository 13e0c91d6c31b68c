"""What a browser costs that only waits: signed in, one conversation open."""

from __future__ import annotations

import asyncio
import time

from bench import load
from bench.machine import Server, product
from bench.tables import show, verdict

SOCKETS = 2000
WARM_UP = 50  # sockets before the first look: what is loaded once is not a socket's
SETTLE_SECONDS = 2
TARGET_KIB = 35


def main() -> None:
    with product(SOCKETS + WARM_UP) as server:
        before, after, seconds = asyncio.run(_grow(server))
    each = (after - before) / SOCKETS / 1024
    row = [f"{SOCKETS:,}", f"{before / 2**20:.0f} MiB", f"{after / 2**20:.0f} MiB", f"{each:.1f} KiB"]
    row += [f"{SOCKETS / seconds:.0f}/s", f"≤ {TARGET_KIB} KiB each", verdict(each <= TARGET_KIB)]
    show("Idle sockets", ("sockets", "server before", "server with them", "each", "opened", "target", ""), [row])


async def _grow(server: Server) -> tuple[int, int, float]:
    people = server.people
    server.people = people[:WARM_UP]
    first = await load.enter_all(server, WARM_UP)
    await asyncio.sleep(SETTLE_SECONDS)
    before, begun = server.memory(), time.monotonic()
    server.people = people[WARM_UP:]
    readers = await load.enter_all(server, SOCKETS)
    seconds = time.monotonic() - begun
    await asyncio.sleep(SETTLE_SECONDS)
    after = server.memory()
    load.close_all([*first, *readers])
    return before, after, seconds
