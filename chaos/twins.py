"""Two servers started at once on an empty database."""

from __future__ import annotations

import asyncio

from chaos.load import Load
from chaos.product import Product, running
from chaos.report import Row
from chaos.stage import Stage

DATABASE = "twins"
LOAD_SECONDS = 4.0
PEOPLE = 10


async def play_twins(stage: Stage) -> Row:
    """Both prepare it, both serve it, and people use both."""
    folder = stage.folder / DATABASE
    folder.mkdir()
    stage.postgres.sql(f"CREATE DATABASE {DATABASE}")
    settings = {"DATABASE_URL": stage.postgres.url(DATABASE), "REDIS_URL": stage.redis.url}
    product = Product(folder, settings)
    await asyncio.gather(*(asyncio.to_thread(product.manage, "prepare") for _ in range(2)))
    with running(folder, settings, 0, 0) as both:
        await asyncio.to_thread(both.start, 2, 0)
        people = await asyncio.to_thread(both.seed, PEOPLE, "steady")
        load = Load([web.port for web in both.webs], people, ("0.5 0.1",))
        load.start()
        await asyncio.sleep(LOAD_SECONDS)
        waited = await load.stop(30)
        found = await asyncio.to_thread(both.check, load.acknowledged)
    row = Row(
        "two servers start at once on an empty database", f"{PEOPLE} people", len(load.acknowledged), found
    ).judge()
    if waited:
        row.broken.append(f"{waited} people without an answer")
    return row
