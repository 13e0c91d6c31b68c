"""A task that runs in `rungrpc` is watched, answered and stopped on a page of `serve`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import pytest
from a2a.client.client import Client
from a2a.types import a2a_pb2 as pb
from websockets.asyncio.client import ClientConnection, connect

from tkr_chat.tests.a2a.conftest import open_client
from tkr_chat.tests.a2a.site import Site
from tkr_chat.tests.a2a.test_python_client import a_request

SECONDS = 30
SESSION = (
    "from accounts.models import User; from django.test import Client; client = Client(); "
    "client.force_login(User.objects.get(username='{name}')); print(client.cookies['sessionid'].value)"
)


class Page:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []

    async def send(self, type: str, **values: Any) -> None:
        await self._socket.send(json.dumps({"type": type, **values}))

    async def until(self, type: str, **values: Any) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            while True:
                self.frames.append(frame := json.loads(await self._socket.recv()))
                if frame["type"] == type and all(frame.get(name) == value for name, value in values.items()):
                    return frame

    async def open(self, conversation: str) -> None:
        await self.send("conversation.open", id=conversation, after=None)
        await self.until("conversation.opened")


@asynccontextmanager
async def page_of(site: Site, session: str) -> AsyncIterator[Page]:
    address = f"ws{site.address.removeprefix('http')}/ws"
    headers = {"cookie": f"sessionid={session}"}
    async with connect(address, origin=site.address, additional_headers=headers) as socket:  # type: ignore[arg-type]
        page = Page(socket)
        await page.until("session.opened")
        yield page


@pytest.fixture(scope="module")
def session(home: Site) -> str:
    home.token("hedy")
    return home.shell(SESSION.format(name="hedy"))


@pytest.fixture
async def grpc(http: httpx.AsyncClient, home: Site) -> AsyncIterator[Client]:
    client = await open_client(http, home.card_url(), "GRPC", home.token("hedy"))
    yield client
    await client.close()


async def begin(grpc: Client, page: Page, text: str) -> Any:
    """The stream of a new task, whose conversation the page has found in its list and opened."""
    stream = grpc.send_message(a_request(text))
    await anext(stream)
    touched = await page.until("conversation.touched")
    await page.open(touched["id"])
    return stream, touched["id"]


async def rest(stream: Any) -> int:
    return [event async for event in stream][-1].status_update.status.state


async def test_it_works(home: Site, session: str, grpc: Client) -> None:
    """It comes into the list, grows while it is said, and ends."""
    words = "\n".join(f"say w{number} \nwait 0.7" for number in range(8))
    async with page_of(home, session) as page:
        stream, _ = await begin(grpc, page, words)
        done = asyncio.create_task(rest(stream))
        await page.until("task.changed", state="completed")
        assert await done == pb.TASK_STATE_COMPLETED
        pieces = [frame for frame in page.frames if frame["type"] == "message.streamed"]
        assert len(pieces) >= 2, [frame["type"] for frame in page.frames]
        assert all(one["offset"] + len(one["text"]) == two["offset"] for one, two in pairwise(pieces))
        assert "w7" in [f for f in page.frames if f["type"] == "message.changed"][-1]["html"]


async def test_answered_on_the_page(home: Site, session: str, grpc: Client) -> None:
    async with page_of(home, session) as page:
        stream, conversation = await begin(grpc, page, "wait 1\nask Your name?")
        assert await rest(stream) == pb.TASK_STATE_INPUT_REQUIRED
        if not any(frame.get("state") == "input-required" for frame in page.frames):
            await page.until("task.changed", state="input-required")
        await page.send("message.post", conversation=conversation, client_id=str(uuid4()), text="Ada")
        await page.until("task.changed", state="completed")
        assert "You said Ada." in str(page.frames)


async def test_stopped_on_the_page(home: Site, session: str, grpc: Client) -> None:
    async with page_of(home, session) as page:
        stream, _ = await begin(grpc, page, "wait 30")
        task = next((frame["task"] for frame in page.frames if frame["type"] == "task.changed"), None)
        await page.send("task.cancel", task=task or (await page.until("task.changed"))["task"])
        async with asyncio.timeout(SECONDS / 2):
            assert await rest(stream) == pb.TASK_STATE_CANCELED
        await page.until("task.changed", state="canceled")
