"""Where faults are played: the servers that are there for all of them."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from bench.servers import Postgres, Redis
from bench.takeover import seconds_until_taken_over
from chaos.product import Product, running
from chaos.proxy import Proxy
from chaos.report import Row

DATABASE = "chaos"


class Stage:
    """Two web processes and two workers on PostgreSQL and Redis, or what a fault needs instead."""

    product: Product
    postgres: Postgres
    redis: Redis
    proxy: Proxy

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken_over: list[float] = []  # seconds, for each runner that died since the last look
        self._open = ExitStack()

    async def build(self) -> None:
        self.postgres, self.redis = await asyncio.gather(
            asyncio.to_thread(Postgres, self.folder), asyncio.to_thread(Redis)
        )
        self.postgres.sql(f"CREATE DATABASE {DATABASE}")
        self.proxy = await asyncio.to_thread(Proxy, self.postgres.port)
        settings = {
            "DATABASE_URL": self.postgres.url(DATABASE, self.proxy.port),
            "REDIS_URL": self.redis.url,
            "AGENTS_QUEUE": "procrastinate",
            "A2A_ANONYMOUS": "loopback",
        }
        product = Product(self.folder, settings)
        await asyncio.to_thread(product.manage, "prepare")
        entering = asyncio.to_thread(self._open.enter_context, running(self.folder, settings, 2, 2))
        self.product = await entering

    async def leave(self) -> None:
        await asyncio.to_thread(self._open.close)
        if hasattr(self, "proxy"):
            await asyncio.to_thread(self.proxy.stop)
        if hasattr(self, "redis"):
            self.redis.kill()
        if hasattr(self, "postgres"):
            self.postgres.stop()

    async def watch_takeover(self, pid: int) -> None:
        """A runner has died just now."""
        self.taken_over.append(await asyncio.to_thread(seconds_until_taken_over, self.postgres, DATABASE, pid))

    async def look(self, row: Row) -> None:
        """What else there is to be checked after a fault."""
