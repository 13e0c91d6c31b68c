"""Is this process ready to serve? Each part is looked at, and said in a sentence without any secret in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error, close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis import Redis, RedisError

from agents_app.models import Task
from metrics.models import Process

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 4.0  # a probe gives up soon
REDIS_SECONDS = 1.0
QUEUE_OLD_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    what: str = ""  # that is wrong

    @property
    def ok(self) -> bool:
        return not self.what


# A thread of its own: when the pool is exhausted, probes wait here, one for all, and take nobody's place.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
_looking: Future[list[Part]] | None = None


async def check() -> list[Part]:
    """Who asks while somebody looks gets the same answer."""
    global _looking
    if _looking is None or _looking.done():
        _looking = _thread.submit(_look)
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await asyncio.shield(asyncio.wrap_future(_looking))
    except TimeoutError:
        return [Part("database", f"It did not answer within {LONGEST_SECONDS:g} seconds.")]


def _look() -> list[Part]:
    parts = [_check(name, find) for name, find in DATABASE_PARTS.items()] if (database := _database()).ok else []
    return [database, *parts, *([_redis()] if settings.REDIS_URL else [])]


def _database() -> Part:
    try:
        close_old_connections()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:  # its text names hosts and users
        logger.warning("The database does not answer a probe.", exc_info=True, extra={"action": "readyz.database"})
        return Part("database", "It does not answer; the log says more.")
    return Part("database")


def _check(name: str, find: Callable[[], str]) -> Part:
    try:
        return Part(name, find())
    except Error:
        logger.warning("A probe failed.", exc_info=True, extra={"action": f"readyz.{name}"})
        return Part(name, "The database does not answer.")
    finally:
        close_old_connections()


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} are missing: run `manage.py prepare`." if missing else ""


def _workers() -> str:
    alive = Process.objects.alive().filter(runs_agents=True).exists()
    return "" if alive else "No process that runs agents is alive."


def _queue() -> str:
    """Tasks that nobody takes: neither the runners' leases nor a recovery reached them."""
    old = Task.objects.runnable().filter(lease_owner="", updated_at__lt=timezone.now() - QUEUE_OLD_AFTER)
    behind = Task.objects.runnable().exclude(lease_owner="").filter(lease_until__gt=timezone.now())
    return "Tasks wait, and nobody runs any." if old.exists() and not behind.exists() else ""


def _redis() -> Part:
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        ) as client:
            client.ping()
    except (RedisError, OSError):
        logger.warning("Redis does not answer a probe.", exc_info=True, extra={"action": "readyz.redis"})
        return Part("redis", "It does not answer; the log says more.")
    return Part("redis")


DATABASE_PARTS = {"migrations": _migrations, "workers": _workers, "queue": _queue}
