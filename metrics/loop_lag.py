"""How late this process's event loop wakes up: whoever blocks it delays every socket and every answer."""

from __future__ import annotations

import asyncio
from collections import deque

TICK_SECONDS = 0.25
REMEMBERED_TICKS = 40  # ten seconds: between two samples nothing is missed

_lags: deque[float] = deque(maxlen=REMEMBERED_TICKS)


async def watch() -> None:
    """For ever."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        _lags.append(max(0.0, clock() - due))


def worst() -> float:
    """Seconds, of the last ten."""
    return max(_lags.copy(), default=0.0)
