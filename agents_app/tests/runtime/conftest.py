from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from agents_app import registry, runtime
from agents_app.actions.agents import register_agents
from agents_app.actions.tasks import TaskWrites, begin_task
from agents_app.base import Agent, Turn
from agents_app.ids import uuid7
from agents_app.models import EventType, JournalHead, Message, Task
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry, Fact
from agents_app.runtime.runtime import Runtime


class Room:
    """A conversation without people: what the runtime knows of one."""

    def __init__(self, current: Runtime) -> None:
        self.id = uuid7()
        self.runtime = current

    async def open(self) -> None:
        fact = Fact(EventType.CONVERSATION_CHANGED, {"title": ""})
        await self.runtime.journal.append(Entry(self.id, [fact], opens=JournalHead(context_id=self.id)))

    async def ask(self, agent_id: str, text: str, **values: Any) -> Task:
        """Post a request and put its task into the queue."""
        request = Message(context_id=self.id, role=Message.Role.USER, text=text, created_at=timezone.now(), **values)
        writes = TaskWrites(new=[request], facts=[created_fact(request)])
        task = begin_task(writes, request, agent_id, None)
        await self.runtime.journal.append(Entry(self.id, writes.facts, writes.new))
        self.runtime.queue.put(task.id)
        return task

    async def settle(self, task: Task) -> Task:
        """Wait until a task has ended or waits for a person."""
        settled = self.runtime.when_settled(task.id)
        current = await Task.objects.aget(id=task.id)
        if current.state in ("submitted", "working"):
            await settled
        return await Task.objects.aget(id=task.id)

    async def said(self) -> list[Message]:
        return [message async for message in Message.objects.in_context(self.id).order_by("seq")]


QUEUES = ("inline", "procrastinate") if settings.ON_POSTGRESQL else ("inline",)
PLACES = 20


@pytest.fixture(params=QUEUES)
def queue(request: pytest.FixtureRequest) -> str:
    """The same runtime runs the same tasks from both."""
    if request.param == "procrastinate":
        from agents_app.runtime.queue_procrastinate import WorkerQueue  # its tables are PostgreSQL's

        runtime.choose_queue(lambda current: WorkerQueue(current, PLACES))
    return request.param


@pytest.fixture
async def room(transactional_db: None, queue: str) -> AsyncIterator[Room]:
    room = Room(runtime.current())
    await room.open()
    room.runtime.queue.begin()
    yield room
    if queue == "procrastinate":
        await room.runtime.queue.drain(0)


@pytest.fixture
def agent() -> Iterator[Callable[..., str]]:
    """Make an agent of a `respond` function; returns its id."""
    made: list[str] = []

    def make(respond: Callable[[Turn], object], id: str = "tester") -> str:
        kind = type(
            id.title(),
            (Agent,),
            {"id": id, "name": id.title(), "description": "A test.", "respond": lambda self, turn: respond(turn)},
        )
        registry.add(kind)
        made.append(id)
        with ThreadPoolExecutor(1) as pool:  # a test that awaits may not touch the database itself
            pool.submit(register_agents).result()
            pool.submit(connections.close_all).result()
        return id

    yield make
    for id in made:
        registry.remove(id)
