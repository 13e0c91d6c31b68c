"""What a process can say about itself right now, without the database."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from agents_app import runtime
from chat import broadcast
from metrics import loop_lag

PAGE_BYTES = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Pool:
    size: int
    max: int
    in_use: int
    waiting: int
    timeouts: int


@dataclass(frozen=True, slots=True)
class Vitals:
    memory_bytes: int
    loop_lag_seconds: float
    open_sockets: int
    running_tasks: int
    pool: Pool | None  # None: SQLite, or nobody has connected yet


def read_vitals() -> Vitals:
    return Vitals(memory_bytes(), loop_lag.worst(), broadcast.count_sockets(), runtime.count_running(), read_pool())


def memory_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:  # not Linux: the most there ever was is better than nothing
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def read_pool() -> Pool | None:
    pools: dict[str, Any] = getattr(connection, "_connection_pools", {})
    pool = pools.get(connection.alias)
    if pool is None:
        return None
    stats = pool.get_stats()
    size = stats.get("pool_size", 0)
    in_use = size - stats.get("pool_available", 0)
    timeouts = stats.get("requests_errors", 0)
    return Pool(size, stats.get("pool_max", size), in_use, stats.get("requests_waiting", 0), timeouts)
