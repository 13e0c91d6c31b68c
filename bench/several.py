"""The product on several processes: PostgreSQL and Redis of its own, web processes and workers, all on the clients' cores."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.machine import CORES, Server, data_dir, free_port, manage, running
from bench.servers import Postgres, Redis

DATABASE = "bench"
SETTINGS = {
    "DB_POOL_MIN": "4",
    "AGENTS_CONCURRENCY": "1000",  # everybody's answer at once
    "AGENTS_DRAIN_SECONDS": "1",
    **{f"RATE_PER_MINUTE_{what}": "0" for what in ("ADDRESS", "API", "FRAMES", "MESSAGES")},
}


class Several:
    """One database with people in it, and processes that come and go."""

    def __init__(self, postgres: Postgres, redis: Redis, folder: dict[str, str], people: int) -> None:
        self.postgres = postgres
        postgres.sql(f"CREATE DATABASE {DATABASE}")
        places = {"DATABASE_URL": postgres.url(DATABASE), "REDIS_URL": redis.url}
        self._environment = folder | SETTINGS | places
        manage(self._environment, "prepare")
        self.people: list[tuple[str, str]] = json.loads(manage(self._environment, "bench_seed", str(people)))
        self.workers: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def serving(self, queue: str, *, webs: int, workers: int) -> Iterator[list[Server]]:
        environment = self._environment | {"AGENTS_QUEUE": queue}
        with ExitStack() as stack:

            def start(*command: str, port: int = 0) -> subprocess.Popen[bytes]:
                arguments = [sys.executable, "manage.py", *command]
                return stack.enter_context(running(arguments, environment, port, cores=set(CORES)))

            self.workers = [start("runagents") for _ in range(workers)]
            ports = [free_port() for _ in range(webs)]
            yield [Server(start("serve", "--no-link", "--port", str(p), port=p), p, self.people) for p in ports]


@contextmanager
def several(people: int) -> Iterator[Several]:
    with tempfile.TemporaryDirectory(prefix="tkr-chat-bench-") as parent, data_dir() as folder:
        postgres, redis = Postgres(Path(parent)), Redis()
        try:
            yield Several(postgres, redis, folder, people)
        finally:
            redis.kill()
            postgres.stop()
