"""What the tests of this app share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agents_app.threads import in_thread

PATIENCE_SECONDS = 20


async def until(find: Callable[[], Any]) -> Any:
    """What `find` returns, once that is something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await in_thread(find)):
            await asyncio.sleep(0.02)
    return found
