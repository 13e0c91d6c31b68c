"""Where faults are played: the servers that are there for all of them, and how one fault is played and judged."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Postgres, Redis
from chaos.callers import Callers
from chaos.load import Load
from chaos.product import Product, running
from chaos.proxy import Proxy
from chaos.report import Row

WARM_SECONDS = 3.0
AFTER_SECONDS = 3.0
LAST_ANSWER_SECONDS = 60.0
DATABASE = "chaos"


class Stage:
    """Two web processes and two workers on PostgreSQL and Redis, or what a fault needs instead."""

    product: Product
    postgres: Postgres
    redis: Redis

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proxy = Proxy(0)
        self._open = ExitStack()

    async def build(self) -> None:
        self.postgres, self.redis = await asyncio.gather(
            asyncio.to_thread(Postgres, self.folder), asyncio.to_thread(Redis)
        )
        self.postgres.sql(f"CREATE DATABASE {DATABASE}")
        self.proxy = Proxy(self.postgres.port)
        await self.proxy.start()
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
        await self.proxy.stop()
        if hasattr(self, "redis"):
            self.redis.kill()
        if hasattr(self, "postgres"):
            self.postgres.stop()


@dataclass
class Fault:
    name: str
    play: Callable[[Stage, Load], Awaitable[None]]
    people: int = 20
    texts: Sequence[str] = ("1.0 0.3",)
    agent: str = "steady"
    after: float = AFTER_SECONDS
    callers: int = 0  # over A2A, besides

    @property
    def load(self) -> str:
        return f"{self.people} people" + (f", {self.callers} callers" if self.callers else "")


async def play(stage: Stage, fault: Fault) -> Row:
    """Begin a load, let the fault happen, wait until everybody has the answer, and look at what is there."""
    product = stage.product
    people = await asyncio.to_thread(product.seed, fault.people, fault.agent)
    ports = [web.port for web in product.webs]
    load, callers = Load(ports, people, fault.texts), Callers(ports, fault.callers, fault.texts[0])
    load.start()
    callers.start()
    await asyncio.sleep(WARM_SECONDS)
    before = product.memory()
    moment = time.monotonic()
    await fault.play(stage, load)
    await asyncio.sleep(fault.after)
    waited, broken = await asyncio.gather(load.stop(LAST_ANSWER_SECONDS), callers.stop(LAST_ANSWER_SECONDS))
    found = await asyncio.to_thread(product.check, load.acknowledged)
    after = product.memory()
    grown = max(before, key=lambda name: after[name] - before[name])
    row = Row(
        fault.name,
        fault.load,
        len(load.acknowledged),
        found,
        load.recovered_after(moment),
        (before[grown], after[grown]),
    ).judge()
    row.broken += broken
    if waited:
        row.broken.append(f"{waited} people without an answer")
    if not_shown := load.not_shown():
        row.broken.append(f"{not_shown} messages not shown once")
    counted = f"{states(load)} {found} {refusals(load)}" + (f" {callers}" if fault.callers else "")
    print(f"  {' | '.join(row.cells())}  {counted}", file=sys.stderr, flush=True)
    return row


def states(load: Load) -> dict[str, int]:
    said = [state for person in load.people for state in person.states]
    return {state: said.count(state) for state in sorted(set(said))}


def refusals(load: Load) -> dict[str, int]:
    said = [error for person in load.people for error in person.refused]
    return {error: said.count(error) for error in sorted(set(said))}
