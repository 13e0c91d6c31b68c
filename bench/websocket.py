"""A WebSocket client that does as little as possible, so that it is never the one that is late."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

MASK = bytes(4)  # of zeros: the server takes it off for nothing
PONG = 0x8A
PING = 0x9
TEXT = 0x81


class Client(asyncio.Protocol):
    """`hear` is called with the bytes of each text frame."""

    def __init__(self, hear: Callable[[bytes], None], request: bytes) -> None:
        self._hear = hear
        self._request = request
        self._buffer = b""
        self._upgraded = False
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ConnectionError(head.decode())
            self._upgraded = True
        self._buffer = self._take_frames(buffer)

    def _take_frames(self, buffer: bytes) -> bytes:
        """Returns the beginning of a frame that is not whole yet. A server never masks, and Daphne never fragments."""
        start, end = 0, len(buffer)
        while end - start >= 2:
            length, body = buffer[start + 1], start + 2
            if length == 126:
                length, body = int.from_bytes(buffer[body : body + 2], "big"), body + 2
            elif length == 127:
                length, body = int.from_bytes(buffer[body : body + 8], "big"), body + 8
            if body + length > end:
                break
            payload = buffer[body : body + length]
            if buffer[start] == TEXT:
                self._hear(payload)
            elif buffer[start] & 0xF == PING:
                self._write(PONG, payload)
            start = body + length
        return buffer[start:]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(exc)

    def send(self, **frame: Any) -> None:
        self._write(TEXT, json.dumps(frame).encode())

    def close(self) -> None:
        self._transport.abort()

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        self._transport.write(bytes([kind]) + length + MASK + payload)


async def connect(port: int, path: str, hear: Callable[[bytes], None], session_key: str = "") -> Client:
    """Returns before the server has answered: its first frame tells that the socket is open."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Origin: http://127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {os.urandom(16).hex()[:22]}==",
        f"Cookie: sessionid={session_key}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode()
    loop = asyncio.get_running_loop()
    _transport, client = await loop.create_connection(lambda: Client(hear, request), "127.0.0.1", port)
    return client
