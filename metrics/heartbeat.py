"""Each process tells every few seconds that it is there, and how it is."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from agents_app.runtime.runtime import Runtime
from agents_app.runtime.scheduler import Scheduler
from agents_app.threads import in_thread_apart
from metrics import loop_lag
from metrics.actions.processes import forget_process, note_process
from metrics.models import Process
from metrics.sampler import Sampler
from metrics.vitals import read_vitals
from metrics.watch import WATCHES

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 4.0

_kind = "process"


def process_name() -> str:
    """Of this process, for people and for samples."""
    return f"{_kind}@{socket.gethostname()[:80]}:{os.getpid()}"


def start_heartbeat(runtime: Runtime, kind: str) -> None:
    global _kind
    _kind = kind
    runtime.beside(loop_lag.watch())
    runtime.beside(_beat(runtime.owner, kind, runtime.queue.runs_tasks))
    if settings.METRICS:
        runtime.beside(Sampler(process_name()).run())
        runtime.beside(Scheduler(runtime.owner, lambda: WATCHES).run())


async def _beat(owner: str, kind: str, runs_agents: bool) -> None:
    """For ever; when cancelled, the process has ended in order and is no more to be seen."""
    fixed = _describe(kind) | {"runs_agents": runs_agents}
    try:
        while True:
            await _try(note_process, owner, fixed | _vitals())
            await asyncio.sleep(HEARTBEAT_SECONDS)
    finally:
        await _try(forget_process, owner)


async def _try(write: Any, *args: Any) -> None:
    try:
        await in_thread_apart(write, *args)
    except DatabaseError:
        logger.exception("A heartbeat was not saved; trying again.", extra={"action": "heartbeat.retry"})


def _describe(kind: str) -> dict[str, Any]:
    now: datetime = timezone.now()
    return {
        "name": process_name(),
        "kind": Process.Kind(kind),
        "host": socket.gethostname()[:80],
        "pid": os.getpid(),
        "version": settings.VERSION,
        "started_at": now,
    }


def _vitals() -> dict[str, Any]:
    now = read_vitals()
    pool = now.pool
    return {
        "last_seen_at": timezone.now(),
        "memory_bytes": now.memory_bytes,
        "loop_lag_seconds": now.loop_lag_seconds,
        "open_sockets": now.open_sockets,
        "running_tasks": now.running_tasks,
        "pool_size": pool and pool.size,
        "pool_max": pool and pool.max,
        "pool_in_use": pool and pool.in_use,
        "pool_waiting": pool and pool.waiting,
        "pool_timeouts": pool and pool.timeouts,
    }
