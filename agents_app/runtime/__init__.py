"""Runs tasks. `current()` is this process's `Runtime`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from agents_app.runtime.queue import Queue
from agents_app.runtime.queue_inline import InlineQueue
from agents_app.runtime.runtime import Runtime

_current: Runtime | None = None
_make_queue: Callable[[Runtime], Queue] | None = None


def current() -> Runtime:
    global _current
    if _current is None:
        _current = Runtime(_make_queue or queue_of_server)
    return _current


def count_running() -> int:
    """Tasks that run here. Makes no runtime: it may be asked for before this process knows its part."""
    return len(_current.queue.running()) if _current is not None else 0


def tell_others(name: str, **data: Any) -> None:
    """Tell the other processes, in any thread. Nothing when this one runs nothing: then they find it by looking."""
    if _current is not None:
        _current.relay.tell(name, **data)


def choose_queue(make_queue: Callable[[Runtime], Queue] | None) -> None:
    """Before the first `current()`: this process has another part than a server's."""
    global _make_queue
    assert _current is None, "this process has a queue already"
    _make_queue = make_queue


def queue_of_server(runtime: Runtime) -> Queue:
    if settings.AGENTS_QUEUE == "inline":
        return InlineQueue(runtime)
    from agents_app.runtime.queue_procrastinate import DeferringQueue  # noqa: PLC0415  (its tables are PostgreSQL's)

    return DeferringQueue(runtime)


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
    choose_queue(None)
