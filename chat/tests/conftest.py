from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import connections
from django.utils import timezone

from accounts.models import User
from agents_app import registry, runtime
from agents_app.actions.agents import register_agents
from agents_app.base import Agent, Turn
from agents_app.ids import uuid7
from chat.actions.conversations import create_conversation
from chat.consumers import BrowserConsumer
from chat.models import Conversation

PATIENCE_SECONDS = 10


class Tab:
    """A browser tab: a real consumer, its frames read in order."""

    def __init__(self, user: Any) -> None:
        self._socket = WebsocketCommunicator(BrowserConsumer.as_asgi(), "/ws")
        self._socket.scope["user"] = user
        self._session = Session(session_key=f"session of {user}", expire_date=timezone.now() + timedelta(days=1))
        self._socket.scope["session"] = self._session
        self.frames: list[dict[str, Any]] = []

    async def connect(self) -> Tab:
        await self._session.asave()  # who looks for sessions that have ended must find this one
        connected, _ = await self._socket.connect()
        assert connected
        return self

    async def send(self, type: str, **values: Any) -> None:
        await self._socket.send_to(text_data=json.dumps({"type": type, **values}, default=str))

    async def next(self) -> dict[str, Any]:
        frame = json.loads(await self._socket.receive_from(PATIENCE_SECONDS))
        self.frames.append(frame)
        return frame

    async def until(self, type: str, **values: Any) -> dict[str, Any]:
        """Read until a frame of that type with those values."""
        while True:
            frame = await self.next()
            if frame["type"] == type and all(frame.get(name) == value for name, value in values.items()):
                return frame

    async def open(self, conversation: Conversation, after: int | None = None) -> dict[str, Any]:
        await self.send("conversation.open", id=conversation.id, after=after)
        return await self.until("conversation.opened")

    async def post(self, conversation: Conversation, text: str, client_id: UUID | None = None) -> UUID:
        client_id = client_id or uuid7()
        await self.send("message.post", conversation=conversation.id, client_id=client_id, text=text)
        return client_id

    async def closed(self) -> int:
        while True:
            event = await self._socket.receive_output(PATIENCE_SECONDS)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def silent(self) -> bool:
        return await self._socket.receive_nothing(0.2)

    async def leave(self) -> None:
        await self._socket.disconnect()


@pytest.fixture
async def tab(transactional_db: None) -> AsyncIterator[Callable[[Any], Awaitable[Tab]]]:
    """Open a tab for somebody. It reads the database until it is closed, so the database outlives it."""
    tabs: list[Tab] = []

    async def make(user: Any) -> Tab:
        tabs.append(await Tab(user).connect())
        return tabs[-1]

    yield make
    for each in tabs:
        await each.leave()


@pytest.fixture
def agent(transactional_db: None) -> Iterator[Callable[..., str]]:
    """Make an agent of a `respond` function; returns its id."""
    made: list[str] = []

    def make(respond: Callable[[Turn], Any], id: str = "tester") -> str:
        answer = {"respond": lambda self, turn: respond(turn)}
        registry.add(type(id.title(), (Agent,), {"id": id, "name": id.title(), "description": "A test.", **answer}))
        made.append(id)
        with ThreadPoolExecutor(1) as pool:  # a test that awaits may not touch the database itself
            pool.submit(register_agents).result()
            pool.submit(connections.close_all).result()
        return id

    yield make
    for id in made:
        registry.remove(id)


@pytest.fixture
def room(transactional_db: None, ada: User) -> Callable[..., Awaitable[Conversation]]:
    """Open a conversation of Ada's with these agents."""

    async def make(*agent_ids: str) -> Conversation:
        return await create_conversation(ada, list(agent_ids))

    return make


async def settled(state: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await state():
            await asyncio.sleep(0.01)


def running() -> list[UUID]:
    return runtime.current().queue.running()
