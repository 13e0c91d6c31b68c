"""What commands that talk with people need of a terminal."""

from __future__ import annotations

import asyncio
import io
from typing import TextIO


async def read_line(source: TextIO) -> str | None:
    """A line without its end, or None at the end of the input. Does not keep the loop from hearing of Ctrl-C."""
    try:
        descriptor = source.fileno()
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
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
