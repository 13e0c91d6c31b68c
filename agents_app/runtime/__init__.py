"""Runs tasks. `current()` is this process's `Runtime`."""

from __future__ import annotations

from agents_app.runtime.runtime import Runtime

_current: Runtime | None = None


def current() -> Runtime:
    global _current
    if _current is None:
        _current = Runtime()
    return _current


async def start() -> None:
    await current().start()


async def stop() -> None:
    """Stop this process's runtime; the next `current()` is a new one."""
    global _current
    if _current is not None:
        stopping, _current = _current, None
        await stopping.stop()


def forget() -> None:
    """Drop this process's runtime without waiting for what runs, as a crash would; the next `current()` is a new one."""
    global _current
    if _current is not None:
        forgotten, _current = _current, None
        forgotten.journal.close(silently=True)
