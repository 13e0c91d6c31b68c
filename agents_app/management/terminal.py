"""What commands that talk with people need of a terminal."""

from __future__ import annotations

import asyncio
import io
from typing import TextIO

from agents_app.models import TaskState

EXIT_CODES: dict[str, int] = {
    TaskState.COMPLETED: 0,
    TaskState.FAILED: 1,
    TaskState.REJECTED: 2,
    TaskState.CANCELED: 3,
}
WAITS = 4  # it is not over


async def read_line(source: TextIO) -> str | None:
    """A line without its end, or None at the end of the input. Does not keep the loop from hearing of Ctrl-C."""
    try:
        descriptor = source.fileno()
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, _settle, ready)
    except (io.UnsupportedOperation, PermissionError):  # a file, which is always ready
        return _line(source)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
    return _line(source)


def _line(source: TextIO) -> str | None:
    line = source.readline()
    return line.rstrip("\r\n") if line else None


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
