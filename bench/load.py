"""Many readers at once against one server."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.machine import Server
from bench.reader import Reader

AT_ONCE = 20  # handshakes
QUIET_SECONDS = 15  # without any frame: what has not come by then is lost
SECONDS_PER_START = 0.015  # until a posted message is a running task, roughly
LEAD_SECONDS = 2


async def enter_all(server: Server, count: int) -> list[Reader]:
    readers = [Reader(conversation) for _, conversation in server.people[:count]]
    limit = asyncio.Semaphore(AT_ONCE)

    async def enter(reader: Reader, session_key: str) -> None:
        async with limit:
            await reader.enter(server.port, session_key)

    keys = [session_key for session_key, _ in server.people[:count]]
    await asyncio.gather(*map(enter, readers, keys))
    return readers


async def connect_all(server: Server, path: str, count: int) -> list[Reader]:
    readers = [Reader() for _ in range(count)]
    limit = asyncio.Semaphore(AT_ONCE)

    async def connect(reader: Reader) -> None:
        async with limit:
            await reader.connect(server.port, path)

    await asyncio.gather(*map(connect, readers))
    return readers


def start_together(count: int) -> float:
    """A moment at which every one of so many tasks can have begun."""
    return time.monotonic() + LEAD_SECONDS + count * SECONDS_PER_START


async def finished(readers: Sequence[Reader], not_before: float) -> None:
    """Until every answer is over, or nothing comes any more."""
    while not all(reader.over.is_set() for reader in readers):
        await asyncio.sleep(0.2)
        latest = max(not_before, *(reader.last_frame for reader in readers))
        if time.monotonic() - latest > QUIET_SECONDS:
            return


def close_all(readers: Sequence[Reader]) -> None:
    for reader in readers:
        reader.client.close()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Here, in the client: a pause of the measuring side would count as lateness."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
