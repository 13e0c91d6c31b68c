"""A model provider that misbehaves: it speaks OpenAI's protocol, and hangs, refuses, fails or breaks off when told to."""

from __future__ import annotations

import asyncio
import json
from typing import Any

ANSWER = "The whole answer of a model."
REFUSALS = {"busy": "429 Too Many Requests", "broken": "500 Internal Server Error"}


class Provider:
    def __init__(self) -> None:
        self.mood = "well"  # or: hangs, busy, broken, breaks-off
        self.port = 0
        self._held: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def recover(self) -> None:
        self.mood = "well"
        for writer in self._held:
            writer.close()

    async def stop(self) -> None:
        self.recover()
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        if self.mood == "hangs":
            self._held.add(writer)
            return
        if self.mood in REFUSALS:
            body = json.dumps({"error": {"message": "not now"}})
            writer.write(f"HTTP/1.1 {REFUSALS[self.mood]}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        else:
            await self._stream(writer, whole=self.mood == "well")
        writer.close()

    async def _stream(self, writer: asyncio.StreamWriter, *, whole: bool) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        words = ANSWER.split(" ")
        for number, word in enumerate(words if whole else words[:2]):
            writer.write(_chunk({"role": "assistant", "content": f" {word}" if number else word}, None))
            await writer.drain()
            await asyncio.sleep(0.05)
        if whole:
            writer.write(_chunk({}, "stop") + _framed(b"data: [DONE]\n\n") + _framed(b""))
            await writer.drain()


def _chunk(delta: dict[str, Any], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    frame = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}
    return _framed(f"data: {json.dumps(frame)}\n\n".encode())


def _framed(data: bytes) -> bytes:
    """As providers send it: a stream that ends without an empty chunk was cut."""
    return b"%x\r\n%s\r\n" % (len(data), data)
