"""The faults of processes, database and Redis, played on a cluster under load."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

from websockets.asyncio.client import connect

from chaos.load import LOST, Load
from chaos.play import Fault
from chaos.product import Process
from chaos.stage import DATABASE, Stage

REVIVE_SECONDS = 1.0  # until a supervisor has noticed
REDIS_AWAY_SECONDS = 30.0
RECONNECTS_PER_SECOND = 200
RECONNECT_SECONDS = 5
QUIET_SECONDS = 5.0


async def _kill_and_revive(stage: Stage, process: Process) -> None:
    await asyncio.to_thread(stage.product.kill, process)
    await _revive(stage, process, REVIVE_SECONDS)


async def _revive(stage: Stage, process: Process, seconds: float = 0.0) -> None:
    async def revive() -> None:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(stage.product.revive, process)

    runs_tasks = process in stage.product.workers
    await asyncio.gather(revive(), *([stage.watch_takeover(process.pid)] if runs_tasks else ()))


async def kill_worker(stage: Stage, load: Load) -> None:
    await _kill_and_revive(stage, stage.product.workers[0])


async def kill_web(stage: Stage, load: Load) -> None:
    await _kill_and_revive(stage, _busiest_web(stage, load))


def _busiest_web(stage: Stage, load: Load) -> Process:
    """Most people are there: after a few faults nobody may be at the other, which commits nothing then."""
    return max(stage.product.webs, key=lambda web: sum(1 for person in load.people if person.port == web.port))


async def worker_dies_behind_commit(stage: Stage, load: Load) -> None:
    await asyncio.to_thread(stage.product.order_death, stage.product.workers[0])
    await _revive(stage, stage.product.workers[0])


async def web_dies_behind_commit(stage: Stage, load: Load) -> None:
    web = _busiest_web(stage, load)
    await asyncio.to_thread(stage.product.order_death, web)
    await _revive(stage, web)


async def roll_webs(stage: Stage, load: Load) -> None:
    """One after the other is told to stop, and started again when it has."""
    for process in stage.product.webs:
        await asyncio.to_thread(stage.product.end, process)
        await asyncio.to_thread(stage.product.revive, process)


async def restart_postgres(stage: Stage, load: Load) -> None:
    await asyncio.to_thread(stage.postgres.stop)
    await asyncio.to_thread(stage.postgres.start)


async def restart_redis(stage: Stage, load: Load) -> None:
    await asyncio.to_thread(stage.redis.kill)
    await asyncio.to_thread(stage.redis.start)


async def lose_redis(stage: Stage, load: Load) -> None:
    await asyncio.to_thread(stage.redis.kill)
    await asyncio.sleep(REDIS_AWAY_SECONDS)
    await asyncio.to_thread(stage.redis.start)


async def cut_commits(stage: Stage, load: Load) -> None:
    """Connections in the middle of a transaction, again and again for two seconds."""
    busy = f"datname = '{DATABASE}' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_xid IS NOT NULL"
    until = time.monotonic() + 2
    while time.monotonic() < until:
        terminate = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {busy}"
        await asyncio.to_thread(stage.postgres.sql, terminate)
        await asyncio.sleep(0.05)


async def lose_commit_answers(stage: Stage, load: Load) -> None:
    """The commit is done, and its answer never comes."""
    for _ in range(10):
        stage.proxy.cut(1)
        await asyncio.sleep(0.3)
    stage.proxy.cut(0)


async def nothing(stage: Stage, load: Load) -> None:
    await asyncio.sleep(QUIET_SECONDS)


async def reconnect_often(stage: Stage, load: Load) -> None:
    jobs = []
    begun = time.monotonic()
    for number in range(RECONNECTS_PER_SECOND * RECONNECT_SECONDS):
        await asyncio.sleep(max(0.0, begun + number / RECONNECTS_PER_SECOND - time.monotonic()))
        jobs.append(asyncio.create_task(_come_and_go(stage, load)))
    await asyncio.gather(*jobs)


async def _come_and_go(stage: Stage, load: Load) -> None:
    person = random.choice(load.people)
    port = random.choice(stage.product.webs).port
    with suppress(*LOST):
        async with asyncio.timeout(30), connect(f"ws://127.0.0.1:{port}/ws", **person.credentials(port)) as socket:
            await socket.send(f'{{"type": "conversation.open", "id": "{person.conversation}", "after": null}}')
            await socket.recv()


FAULTS = {
    "worker-answer": Fault("kill -9 of a worker in mid-answer", kill_worker),
    "worker-tool": Fault("kill -9 of a worker in mid-tool", kill_worker, texts=("0.2 2.5",)),
    "worker-commit": Fault("a worker dies between commit and broadcast", worker_dies_behind_commit),
    "web-sockets": Fault("kill -9 of a web process with 50 open sockets", kill_web, people=100),
    "web-commit": Fault("a web process dies between commit and broadcast", web_dies_behind_commit),
    "web-rolling": Fault("web processes are restarted one by one", roll_webs, people=50, callers=10),
    "postgres": Fault("PostgreSQL is restarted", restart_postgres),
    "commit-cut": Fault("connections are cut in the middle of group commits", cut_commits),
    "commit-answer": Fault("commits are done, their answers lost", lose_commit_answers),
    "redis": Fault("Redis is restarted", restart_redis),
    "redis-gone": Fault("Redis is gone for 30 s", lose_redis, people=10),
    "largest": Fault("messages of the largest size", nothing, people=4, texts=()),
    "reconnects": Fault("200 reconnects a second", reconnect_often, people=10),
}
LARGEST_CHARS = 100_000
_HEAD = "0.5 0.1 "
FAULTS["largest"].texts = (_HEAD + "\N{PARTY POPPER}" * (LARGEST_CHARS - len(_HEAD)),)
