"""A real server of the A2A edge in the test's own event loop, agents that follow a script, and callers."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from django.conf import settings
from redis import Redis

from accounts.actions.api_tokens import make_token
from accounts.models import User
from agents_app import registry, runtime
from agents_app.a2a import caller, directory, served
from agents_app.a2a.application import Edge
from agents_app.a2a.tests.edge.agents import Clerk, Parrot
from agents_app.actions.agents import register_agents
from agents_app.threads import in_thread


class Caller:
    """Calls one agent in either binding."""

    def __init__(self, client: httpx.AsyncClient, address: str, token: str = "") -> None:
        self.client = client
        self.address = address
        self.headers = {"A2A-Version": "1.0"} | ({"Authorization": f"Bearer {token}"} if token else {})

    async def rpc(self, method: str, agent: str = "clerk", headers: Any = None, **params: Any) -> Any:
        """The whole JSON-RPC response."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = await self.client.post(
            f"{self.address}/a2a/{agent}/", json=body, headers=self.headers | (headers or {})
        )
        return answer.json()

    async def call(self, method: str, agent: str = "clerk", **params: Any) -> Any:
        """The result; an error fails the test."""
        found = await self.rpc(method, agent, **params)
        assert "error" not in found, found
        return found["result"]

    async def code(self, method: str, agent: str = "clerk", **params: Any) -> int:
        found = await self.rpc(method, agent, **params)
        assert "error" in found, found
        return found["error"]["code"]

    async def send(self, text: str, agent: str = "clerk", configuration: Any = None, **message: Any) -> Any:
        return await self.call(
            "SendMessage", agent, message=a_message(text, **message), configuration=configuration or {}
        )

    async def task(self, text: str, **more: Any) -> Any:
        return (await self.send(text, **more))["task"]

    async def ended(self, task_id: str) -> Any:
        """The task, once it has ended."""
        async with asyncio.timeout(20):
            while True:
                task = await self.call("GetTask", id=task_id)
                if task["status"]["state"] not in ("TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"):
                    return task
                await asyncio.sleep(0.05)

    async def stream(self, method: str, agent: str = "clerk", headers: Any = None, **params: Any) -> AsyncIterator[Any]:
        """(SSE id, StreamResponse) as they come."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        address = f"{self.address}/a2a/{agent}/"
        async with self.client.stream("POST", address, json=body, headers=self.headers | (headers or {})) as answer:
            async for id, data in events(answer):
                yield id, data.get("result", data)

    async def rest(
        self, method: str, path: str, agent: str = "clerk", headers: Any = None, **more: Any
    ) -> httpx.Response:
        address = f"{self.address}/a2a/{agent}/v1{path}"
        return await self.client.request(method, address, headers=self.headers | (headers or {}), **more)


async def events(answer: httpx.Response) -> AsyncIterator[Any]:
    assert answer.headers["content-type"].startswith("text/event-stream"), await answer.aread()
    id = ""
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            id = line[4:]
        elif line.startswith("data: "):
            yield id, json.loads(line[6:])


def a_message(text: str, **more: Any) -> Any:
    return {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": text}], **more}


def texts(task: Any) -> list[str]:
    """What a task's artifacts say."""
    return ["".join(part.get("text", "") for part in artifact["parts"]) for artifact in task["artifacts"]]


@pytest.fixture(autouse=True)
def _nobody_has_called_yet() -> None:
    """Redis remembers the calls of this minute longer than a test lasts."""
    if settings.REDIS_URL:
        with Redis.from_url(settings.REDIS_URL) as redis:
            for key in redis.scan_iter("tkr_chat:a2a:*"):
                redis.delete(key)


@pytest.fixture(autouse=True)
def _agents(transactional_db: None) -> Iterator[None]:
    for kind in (Clerk, Parrot):
        registry.add(kind)
    register_agents()
    for module in (caller, directory, served):
        module.forget()
    yield
    for kind in (Clerk, Parrot):
        registry.remove(kind.id)


@pytest.fixture
async def server(settings: Any) -> AsyncIterator[str]:
    """Its address."""
    settings.A2A_ANONYMOUS = "loopback"
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(Edge(_nothing), lifespan="off", log_config=None, access_log=False)
    serving = uvicorn.Server(config)
    runtime.current().listen()
    running = asyncio.create_task(serving._serve([listening]))
    while not serving.started:
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving.should_exit = True
    config.timeout_graceful_shutdown = 1
    await running


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError(f"{scope['path']} is not A2A's")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as client:
        yield client


@pytest.fixture
def guest(server: str, client: httpx.AsyncClient) -> Caller:
    """Somebody without a token."""
    return Caller(client, server)


@pytest.fixture
async def ada_calls(server: str, client: httpx.AsyncClient, ada: User) -> Caller:
    return Caller(client, server, (await in_thread(make_token, ada, "a test"))[1])


@pytest.fixture
async def mallory_calls(server: str, client: httpx.AsyncClient, mallory: User) -> Caller:
    return Caller(client, server, (await in_thread(make_token, mallory, "a test"))[1])
