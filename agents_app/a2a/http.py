"""HTTP as the A2A edge needs it: small, because Django's own stack costs more than the rest of such a call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from agents_app.a2a.errors import TooLarge, WrongContentType

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# Events that are told together, each its number and its data; empty: nothing happened for a while.
Frames = AsyncGenerator[list[tuple[str, bytes]], None]

FAILED = ""  # in the place of an event's number: the data says what went wrong, and the last number stays the reader's

PING_SECONDS = 15.0


@dataclass
class Request:
    scope: MutableMapping[str, Any]
    receive: Receive
    begun: float = field(default_factory=time.monotonic)
    body: bytes = b""

    def __post_init__(self) -> None:
        self.method: str = self.scope["method"]
        raw = self.scope.get("raw_path") or self.scope["path"].encode()
        self.path = raw.partition(b"?")[0].decode("latin-1")  # still quoted: an id may hold a quoted slash
        self.query: bytes = self.scope.get("query_string", b"")

    @cached_property
    def headers(self) -> dict[str, str]:
        """Names in lower case; a header that comes several times is joined with commas."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def is_for_us(self) -> bool:
        """Whether the Host is one of ours: a page elsewhere may point a name of its own at this machine."""
        return _is_ours(self.headers.get("host", ""), tuple(settings.ALLOWED_HOSTS))

    @cached_property
    def base(self) -> str:
        """The address at which the caller sees this server."""
        host = self.headers.get("host", "")
        if settings.PUBLIC_URL.partition("://")[2] == host:
            return settings.PUBLIC_URL
        return f"{self.scope.get('scheme', 'http')}://{host}"

    def parameter(self, name: str) -> str:
        """A service parameter of A2A: a header, or in the query."""
        value = self.headers.get(name.lower(), "")
        return value if value or not self.query else self.parameters.get(name, "")

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Of the query; of those that come several times the last."""
        found = parse_qs(self.query.decode("latin-1"), keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}

    def require_type(self, *allowed: str) -> None:
        """A body needs one of these types, so that no web page can send it without asking first."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in allowed and (kind or self.has_body):
            raise WrongContentType(f"Send Content-Type: {allowed[0]}.")

    @property
    def has_body(self) -> bool:
        return self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers

    async def read(self) -> bytes:
        """Raises `TooLarge`."""
        limit = settings.A2A_MAX_BODY_BYTES
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise TooLarge(f"A request has at most {limit:,} bytes.")
        pieces, size = [], 0
        while True:
            message = await self.receive()
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise TooLarge(f"A request has at most {limit:,} bytes.")
            pieces.append(piece)
            if not message.get("more_body"):
                self.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                return self.body


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        headers = {"content-type": self.type, "content-length": str(len(self.body)), **self.headers}
        if self.status == 304:
            del headers["content-type"], headers["content-length"]
        await send({"type": "http.response.start", "status": self.status, "headers": encoded(headers)})
        await send({"type": "http.response.body", "body": self.body})


async def send_events(frames: Frames, receive: Receive, send: Send, headers: dict[str, str]) -> None:
    """Server-sent events, until there are no more or the reader has gone. The reader's going ends nothing but this."""
    kept = {"content-type": "text/event-stream", "cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
    await send({"type": "http.response.start", "status": 200, "headers": encoded(kept | headers)})
    gone = asyncio.create_task(_until_gone(receive))
    told_at = time.monotonic()
    try:
        async for together in frames:
            if gone.done():
                return
            if not together and time.monotonic() - told_at < PING_SECONDS:
                continue
            told_at = time.monotonic()
            body = b"".join(map(_as_sent, together)) if together else b": still here\n\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass  # the reader has gone in the middle of a frame
    finally:
        gone.cancel()


def _as_sent(frame: tuple[str, bytes]) -> bytes:
    number, data = frame
    return b"%s\ndata: %s\n\n" % (b"event: error" if number == FAILED else b"id: " + number.encode(), data)


@lru_cache(maxsize=256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
