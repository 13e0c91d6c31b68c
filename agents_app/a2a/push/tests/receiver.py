"""A webhook on this machine, as somebody who wants to be told would run one."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn


@dataclass(frozen=True, slots=True)
class Got:
    """One notification as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def state(self) -> str:
        return self.body["statusUpdate"]["status"]["state"].removeprefix("TASK_STATE_").lower().replace("_", "-")


@dataclass
class Receiver:
    """Keeps what arrives. `answers` are the statuses of the next requests, 200 when there are no more."""

    url: str
    got: list[Got] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pause_seconds: float = 0
    open_now: int = 0
    most_at_once: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        try:
            await self._take(scope, receive)
            await asyncio.sleep(self.pause_seconds)
        finally:
            self.open_now -= 1
        status = self.answers.pop(0) if self.answers else 200
        await send({"type": "http.response.start", "status": status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"thank you"})

    async def _take(self, scope: Any, receive: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        assert scope["method"] == "POST"
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.got.append(Got(scope["path"], headers, json.loads(body)))

    @property
    def states(self) -> list[str]:
        return [got.state for got in self.got]

    async def until(self, count: int, seconds: float = 10) -> list[Got]:
        """Wait for so many notifications."""
        await eventually(lambda: len(self.got) >= count, seconds)
        return self.got


async def eventually(is_true: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not is_true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def receive_notifications() -> AsyncIterator[Receiver]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    receiver = Receiver(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = uvicorn.Config(receiver, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await eventually(lambda: server.started)
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
