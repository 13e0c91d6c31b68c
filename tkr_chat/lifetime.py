"""What happens when a server process begins and ends, whichever ASGI server it is."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import DatabaseError

from agents_app import brains, runtime
from agents_app.threads import in_thread
from metrics.heartbeat import process_name, start_heartbeat
from tkr_chat.databases import checkpoint

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 1
STOP_GRACE_SECONDS = 5  # for the runtime to hand over what it could not finish in AGENTS_DRAIN_SECONDS
GC_THRESHOLDS = (20_000, 20, 50)


_end_traces: Callable[[], None] | None = None


async def begin(kind: str) -> None:
    """`kind`: what this process is, `web`, `worker` or `grpc`."""
    brains.load()  # before any task runs, and before what is loaded is taken out of the garbage collector's sight
    await runtime.start()
    start_heartbeat(runtime.current(), kind)
    runtime.current().beside(_checkpoints())
    if settings.TRACES:
        _begin_traces(kind)
    _calm_garbage_collector()


def _begin_traces(kind: str) -> None:
    from tkr_chat import trace_export  # noqa: PLC0415 - OpenTelemetry's SDK takes memory, and is not for everybody

    global _end_traces
    _end_traces = partial(trace_export.stop, trace_export.start(process_name(), kind))


async def _checkpoints() -> None:
    while True:
        await asyncio.sleep(CHECKPOINT_SECONDS)
        try:
            await in_thread(checkpoint)
        except DatabaseError:
            logger.exception("A checkpoint failed; trying again.", extra={"action": "server.checkpoint_failed"})


async def end() -> None:
    try:
        await asyncio.wait_for(runtime.stop(), settings.AGENTS_DRAIN_SECONDS + STOP_GRACE_SECONDS)
    except TimeoutError:
        logger.warning("The agents did not stop in time.", extra={"action": "server.drain_timeout"})
    if _end_traces is not None:
        await asyncio.to_thread(_end_traces)


def _calm_garbage_collector() -> None:
    """Full collections walk every object of Django and the libraries, none of which is garbage: 50 ms in which no
    socket is served. What is there at the start is taken out of their sight, and the rest is walked less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
