from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tkr_chat.body_limit import AROUND_BYTES, BodyLimit


@pytest.fixture(autouse=True)
def limit(settings):
    settings.ATTACHMENT_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000, 500


class Exchange:
    """One request; `read` is what the application got of it."""

    def __init__(self, pieces: list[bytes], announced: int | None = None) -> None:
        self.pieces = list(pieces)
        self.read, self.sent = 0, []
        headers = [] if announced is None else [(b"content-length", str(announced).encode())]
        self.scope = {"type": "http", "headers": headers}

    async def receive(self) -> Any:
        body = self.pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self.pieces)}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.read += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def status(self) -> int:
        await BodyLimit(self.application)(self.scope, self.receive, self.send)
        return self.sent[0]["status"]


async def test_it_works():
    exchange = Exchange([b"x" * 900, b"x" * 100], 1000)
    assert (await exchange.status(), exchange.read) == (200, 1000)


async def test_too_much_is_refused_before_anything_is_read():
    exchange = Exchange([b"x" * 1000], AROUND_BYTES + 1001)
    assert (await exchange.status(), exchange.read) == (413, 0)
    assert b"at most 1,000 bytes" in exchange.sent[1]["body"]


async def test_what_nobody_announced_is_counted():
    exchange = Exchange([b"x" * 40_000, b"x" * 40_000, b"x" * 40_000])
    assert await exchange.status() == 413
    assert exchange.read == 40_000


async def test_who_never_stops_sending_is_left(monkeypatch):
    monkeypatch.setattr("tkr_chat.body_limit.LINGER_SECONDS", 0.05)
    exchange = Exchange([], 10**9)

    async def receive() -> Any:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"x", "more_body": True}

    exchange.receive = receive
    async with asyncio.timeout(5):
        assert await exchange.status() == 413


async def test_a_real_server_says_so_at_once(served, settings):
    """Headers alone: the answer is there before a byte of the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served)
    writer.write(b"POST /api/v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n")
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert b" 413 " in head


@pytest.fixture
async def served() -> Any:
    import socket

    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(BodyLimit(Exchange([]).application), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listening]))
    while not server.started:
        await asyncio.sleep(0.005)
    yield listening.getsockname()[1]
    server.should_exit = server.force_exit = True
    await running
