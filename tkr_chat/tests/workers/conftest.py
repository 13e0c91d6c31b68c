"""Real workers in processes of their own; the test is the web process that defers to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
from django.conf import settings
from django.db import connection, connections

from agents_app import registry, runtime
from agents_app.actions.agents import register_agents
from agents_app.models import Task
from agents_app.tests.runtime.conftest import Room
from tkr_chat.tests.processes import SECONDS, environment
from tkr_chat.tests.workers.cast.agents import CAST


def database_url() -> str:
    """Of the tests' own database."""
    parts = connection.settings_dict
    user = parts["USER"] + (f":{parts['PASSWORD']}" if parts["PASSWORD"] else "") + "@" if parts["USER"] else ""
    host, port = parts["HOST"], f":{parts['PORT']}" if parts["PORT"] else ""
    if host.startswith("/"):
        return f"postgres://{user}/{parts['NAME']}?host={host}" + (f"&port={parts['PORT']}" if parts["PORT"] else "")
    return f"postgres://{user}{host}{port}/{parts['NAME']}"


class Worker:
    def __init__(self, data: Path, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "runagents", *arguments],
            cwd=settings.BASE_DIR,
            env=environment(data, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._log: list[str] = []

    def until_ready(self) -> Worker:
        too_late = Timer(SECONDS, self.process.kill)  # ends the reading, too
        too_late.start()
        assert self.process.stdout
        said = self.process.stdout.readline()
        too_late.cancel()
        assert "Agents work here" in said, said + self.process.stdout.read()
        self._reader = ThreadPoolExecutor(1)
        self._reader.submit(lambda: self._log.extend(self.process.stdout or ()))  # a full pipe would stop it
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    @property
    def log(self) -> str:
        return "".join(self._log)


@pytest.fixture
def work(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start a worker; arguments are those of `runagents`."""
    workers: list[Worker] = []
    variables = {
        "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.workers.settings",
        "DATABASE_URL": _named(database_url()),
        "REDIS_URL": os.environ["REDIS_URL"],
        "AGENTS_QUEUE": "procrastinate",
        "ENV_FILE": "none",
        "EMBEDDED_MODEL": "off",
        "OLLAMA_URL": "",
        "DB_POOL_MIN": "2",
        "AGENTS_DRAIN_SECONDS": "1",
    }

    def start(*arguments: str, **more: str) -> Worker:
        workers.append(Worker(tmp_path, *arguments, **(variables | more)))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        print(worker.log)  # shown with what failed


def _named(url: str) -> str:
    """So that a test may cut the workers' connections and keep its own."""
    return f"{url}{'&' if '?' in url else '?'}application_name=worker"


@pytest.fixture
def cast(transactional_db: None) -> Iterator[None]:
    for agent in CAST:
        registry.add(agent)
    _in_thread(register_agents)
    yield
    for agent in CAST:
        registry.remove(agent.id)


def _in_thread(function: Callable[[], object]) -> None:
    with ThreadPoolExecutor(1) as pool:  # a test that awaits may not touch the database itself
        pool.submit(function).result()
        pool.submit(connections.close_all).result()


@pytest.fixture
async def web(cast: None) -> AsyncIterator[Callable[[], object]]:
    """Open a conversation in this process, which only defers."""
    from agents_app.runtime.queue_procrastinate import DeferringQueue  # its tables are PostgreSQL's

    runtime.choose_queue(DeferringQueue)

    async def open_room() -> Room:
        room = Room(runtime.current())
        await room.open()
        return room

    yield open_room
    await runtime.current().queue.drain(1)


async def settle(*tasks: Task, seconds: float = 60) -> list[Task]:
    """Wait until they have ended, wherever they run."""
    import asyncio

    ids = [task.id for task in tasks]
    async with asyncio.timeout(seconds):
        while await Task.objects.runnable().filter(id__in=ids).aexists():
            await asyncio.sleep(0.05)
    found = {task.id: task async for task in Task.objects.filter(id__in=ids)}
    return [found[id] for id in ids]
