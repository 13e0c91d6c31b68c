"""A client that only calls: raw HTTP/1.1 on kept connections, one call after the other on each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from bench.tables import percentile

WARM_UP_SECONDS = 1.0
END = b"0\r\n\r\n"


@dataclass
class Load:
    """What so many connections got done."""

    waits: list[float] = field(default_factory=list)  # of the calls in the counted time
    wrong: int = 0
    calls: int = 0  # those before and after the counted time too
    rate: float = 0.0
    """Calls a second: of each connection all its calls, by the time to the end of its last. A slow server ends those of all
    connections at the same moment, and how many such moments fall into a second says little."""

    @property
    def p50(self) -> float:
        return percentile(sorted(self.waits), 50)

    @property
    def p99(self) -> float:
        return percentile(sorted(self.waits), 99)


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, expected: bytes, load: Load) -> None:
        self._request = request
        self._expected = expected
        self._load = load
        self._received = bytearray()
        self._calls = 0
        self._opened = self._begun = self._ended = time.monotonic()
        self.stopping = False
        self.counting = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._call()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._is_whole():
            self._load.calls += 1
            self._calls += 1
            self._ended = time.monotonic()
            if self.counting:
                self._load.waits.append(self._ended - self._begun)
                self._load.wrong += self._expected not in self._received
            self._call()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)
        self._load.wrong += not self.stopping

    @property
    def rate(self) -> float:
        return self._calls / (self._ended - self._opened) if self._calls else 0.0

    def _call(self) -> None:
        if self.stopping:
            self._transport.close()
            return
        self._received.clear()
        self._begun = time.monotonic()
        self._transport.write(self._request)

    def _is_whole(self) -> bool:
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return False
        headers = bytes(self._received[:head]).lower()
        at = headers.find(b"content-length:")
        if at < 0:
            return self._received.endswith(END)
        length = int(headers[at + 15 :].split(b"\r\n", 1)[0])
        return len(self._received) >= head + 4 + length


async def hammer(
    port: int,
    request: bytes,
    connections: int,
    seconds: float,
    expected: bytes,
    address: str = "127.0.0.1",
    warm_up: float = WARM_UP_SECONDS,
) -> Load:
    """Call for so long. `expected` must stand in every answer."""
    loop, load = asyncio.get_running_loop(), Load()
    made = [
        await loop.create_connection(lambda: _Connection(request, expected, load), address, port)
        for _ in range(connections)
    ]
    protocols = [protocol for _, protocol in made]
    await asyncio.sleep(warm_up)
    for protocol in protocols:
        protocol.counting = True
    await asyncio.sleep(seconds)
    for protocol in protocols:
        protocol.counting = False
        protocol.stopping = True
    await asyncio.wait([protocol.done for protocol in protocols], timeout=10)
    load.rate = sum(protocol.rate for protocol in protocols)
    return load


def post(path: str, body: bytes, **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
