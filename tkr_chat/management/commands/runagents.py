from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

import uvloop
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from agents_app import runtime
from agents_app.checks import AGENTS
from tkr_chat import lifetime
from tkr_chat.ending import end_surely
from tkr_chat.prepared import require_prepared_database


class Command(BaseCommand):
    requires_system_checks = (AGENTS,)  # the others load every page
    help = "Run the agents' tasks in a process beside the web server's, with AGENTS_QUEUE=procrastinate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency", type=_at_least_one, default=settings.AGENTS_CONCURRENCY, help="Tasks at once."
        )
        parser.add_argument(
            "--queues",
            type=_names,
            help='Only tasks of agents with these queues, with commas between them; "schedules" takes part in '
            "what runs from time to time. Without it: everything.",
        )

    def handle(self, *, concurrency: int, queues: list[str] | None, **_: Any) -> None:
        if settings.AGENTS_QUEUE != "procrastinate":
            raise CommandError("With AGENTS_QUEUE=inline tasks run in the web server: set AGENTS_QUEUE=procrastinate.")
        from agents_app.runtime.queue_procrastinate import WorkerQueue  # noqa: PLC0415  (its tables are PostgreSQL's)

        require_prepared_database()
        connections.close_all()  # this is the event loop's thread: it must never wait for a database again
        runtime.choose_queue(lambda current: WorkerQueue(current, concurrency, queues))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._work(concurrency, queues))

    async def _work(self, concurrency: int, queues: list[str] | None) -> None:
        told = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        await lifetime.begin("worker")
        of = "every queue" if queues is None else f"the queues {', '.join(queues)}"
        self.stdout.write(f"Agents work here, on {concurrency} tasks at once, from {of}. Ctrl-C stops it.")
        self.stdout.flush()  # whoever reads it through a pipe wants it now
        await told.wait()
        await lifetime.end()
        end_surely()


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError("write a whole number, 1 or more")
    return int(text)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise ArgumentTypeError("name at least one queue")
    return names
