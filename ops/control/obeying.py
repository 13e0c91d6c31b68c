"""Each process looks for orders twice a second, carries them out, and says so."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connections
from django.db.models import Max

from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread_apart
from chat import broadcast
from ops.models import Order, OrderAnswer

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
SOCKETS_TOLD = 2_000  # of one process; how many there are is told besides

Details = dict[str, Any]


def start_obeying(runtime: Runtime) -> None:
    runtime.beside(_obey(runtime))


async def _obey(runtime: Runtime) -> None:
    seen: int | None = None
    while True:
        try:
            if seen is None:
                seen = await in_thread_apart(_newest)
            for order in await in_thread_apart(_load, runtime.owner, seen):
                seen = order.pk
                await _carry_out(runtime, order)
        except (DatabaseError, InterfaceError):
            logger.exception("Orders cannot be read; trying again.", extra={"action": "orders.retry"})
        await asyncio.sleep(LOOK_SECONDS)


async def _carry_out(runtime: Runtime, order: Order) -> None:
    logger.info("Carrying out %s.", order.kind, extra={"action": order.kind})
    answer = await ORDERS[Order.Kind(order.kind)](runtime, order.details)
    await in_thread_apart(OrderAnswer.objects.create, order=order, process=runtime.owner, data=answer)
    if order.kind == Order.Kind.DRAIN:
        os.kill(os.getpid(), signal.SIGTERM)  # it hands over and ends, and whoever keeps it up starts it again


async def _report_sockets(runtime: Runtime, details: Details) -> Details:
    facts = broadcast.socket_facts()
    return {"count": len(facts), "sockets": facts[:SOCKETS_TOLD]}


async def _close_sockets(runtime: Runtime, details: Details) -> Details:
    return {"closed": broadcast.close_sockets(details.get("socket", ""), details.get("person", ""))}


async def _reset_pool(runtime: Runtime, details: Details) -> Details:
    """Connections that are in use are closed when they come back: nobody's work is cut off."""
    pools: dict[str, Any] = getattr(connections["default"], "_connection_pools", {})
    pool = pools.get("default")
    if pool is None:
        return {"reset": False, "why": "this database has no pool, or nobody has connected yet"}
    await asyncio.to_thread(pool.drain)
    return {"reset": True, "connections": pool.get_stats().get("pool_size", 0)}


async def _clear_cache(runtime: Runtime, details: Details) -> Details:
    await asyncio.to_thread(cache.clear)
    return {"cleared": True}


async def _recover(runtime: Runtime, details: Details) -> Details:
    await runtime.recovery.adopt_tasks()
    return {"looked": True}


async def _drain(runtime: Runtime, details: Details) -> Details:
    return {"ending": True}


ORDERS: dict[Order.Kind, Callable[[Runtime, Details], Awaitable[Details]]] = {
    Order.Kind.REPORT_SOCKETS: _report_sockets,
    Order.Kind.CLOSE_SOCKETS: _close_sockets,
    Order.Kind.RESET_POOL: _reset_pool,
    Order.Kind.CLEAR_CACHE: _clear_cache,
    Order.Kind.RECOVER: _recover,
    Order.Kind.DRAIN: _drain,
}


def _newest() -> int:
    """Orders of before this process began were not for it."""
    return Order.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _load(owner: str, after: int) -> list[Order]:
    return list(Order.objects.for_process(owner, after))
