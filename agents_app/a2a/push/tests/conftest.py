from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from agents_app import runtime
from agents_app.a2a.push import sender
from agents_app.a2a.push.deliveries import find_due
from agents_app.a2a.push.sender import Sender
from agents_app.a2a.push.tests.receiver import Receiver, receive_notifications
from agents_app.actions.tasks import TaskWrites, begin_task
from agents_app.ids import uuid7
from agents_app.models import Agent, Event, JournalHead, Message, Task, TaskState
from agents_app.runtime.facts import created_fact, status_fact
from agents_app.runtime.journal import Entry, TaskChange
from agents_app.threads import in_thread

REAL_GETADDRINFO = socket.getaddrinfo


@pytest.fixture(autouse=True)
def local_targets(settings, monkeypatch) -> None:
    """The receiver is on this machine; tries follow each other fast."""
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    settings.A2A_PUSH_RETRY_SECONDS = 0.05
    monkeypatch.setattr(sender, "STOP_SECONDS", 0.1)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receive_notifications() as receiver:
        yield receiver


@pytest.fixture
async def task(transactional_db) -> Task:
    """A task that nobody runs, so that a test alone says what happens to it."""
    return await make_task()


async def make_task(**values) -> Task:
    await sync_to_async(Agent.objects.get_or_create)(id="tester", defaults={"name": "Tester"})
    context_id = uuid7()
    request = Message(context_id=context_id, role=Message.Role.USER, text="hello", created_at=timezone.now())
    writes = TaskWrites(new=[request], facts=[created_fact(request)])
    task = begin_task(writes, request, "tester", None, **values)
    await runtime.current().journal.append(
        Entry(context_id, writes.facts, writes.new, opens=JournalHead(context_id=context_id))
    )
    return await Task.objects.aget(id=task.id)


async def tell(task: Task, *states: str) -> list[Event]:
    """Journal changes of a task's state, each in a commit of its own."""
    events = []
    for state in map(TaskState, states):
        change = TaskChange(task.id, {"state": state})
        events += await runtime.current().journal.append(
            Entry(task.context_id, [status_fact(task, state)], tasks=[change])
        )
    return events


@pytest.fixture
async def sending(transactional_db) -> AsyncIterator[asyncio.Task]:
    """A sender at work."""
    work = asyncio.create_task(Sender().run())
    await asyncio.sleep(0)
    yield work
    await end(work)


async def end(work: asyncio.Task) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def due() -> list:
    return await in_thread(find_due, [], 100)


@pytest.fixture
def names(monkeypatch) -> Iterator[dict[str, list[str]]]:
    """A name server of this test's own: for each host, what it says the first time, the second time …"""
    answers: dict[str, list[str]] = {}

    def getaddrinfo(host, port, *rest, **more):
        if host in answers:
            host = answers[host].pop(0)
        return REAL_GETADDRINFO(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers
