"""What every HTTP request and WebSocket passes first: whose address it is, a number for the log, how often it may come.

An ASGI application and no middleware of Django's, because A2A's calls never reach Django.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

from accounts.context import bind
from agents_app.ids import uuid7
from agents_app.rates import RateExceeded, Rates

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

FREE = ("/static/", "/a2a", "/.well-known/")  # files that cost nothing; A2A counts its callers itself
TOO_MANY = 429
TRY_LATER = 1013  # a WebSocket is closed with it


class Front:
    def __init__(self, application: Application) -> None:
        self._application = application
        self._rates = Rates("address")
        self._proxies = [ip_network(word, strict=False) for word in settings.TRUSTED_PROXIES]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        address = self._take_address(scope)
        number = str(uuid7())
        bind(request=number, address=address, via="http" if scope["type"] == "http" else "websocket")
        try:
            await self._count(scope, address)
        except RateExceeded as exceeded:
            await _refuse(scope, receive, send, exceeded)
            return
        await self._application(scope, receive, _numbered(send, number) if scope["type"] == "http" else send)

    def _take_address(self, scope: Scope) -> str:
        """Whoever is first from the right that is no proxy of ours. What stands further left anybody may have written."""
        client = scope.get("client")
        address = client[0] if client else ""
        for hop in reversed(_forwarded(scope["headers"])):
            if not _is_in(address, self._proxies):
                break
            address = hop
        if client and address != client[0]:
            scope["client"] = (address, 0)
        return address

    async def _count(self, scope: Scope, address: str) -> None:
        """A browser on this machine is not counted, nor a proxy that was not named: all its callers would share one count."""
        if not address or scope["path"].startswith(FREE) or _is_loopback(address):
            return
        await self._rates.count(settings.RATE_PER_MINUTE_ADDRESS, address)


def _forwarded(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [value.decode("latin-1") for name, value in headers if name.lower() == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",") if hop.strip()]


def _is_in(address: str, networks: list[IPv4Network | IPv6Network]) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _numbered(send: Send, number: str) -> Send:
    """Who reports an error can name the line in the log."""

    async def with_number(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", number.encode())]
        await send(message)

    return with_number


async def _refuse(scope: Scope, receive: Receive, send: Send, exceeded: RateExceeded) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": TRY_LATER, "reason": "too many requests"})
        return
    body = json.dumps({"error": {"code": "too_many_requests", "message": str(exceeded)}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(max(1, round(exceeded.retry_after))).encode()),
    ]
    await send({"type": "http.response.start", "status": TOO_MANY, "headers": headers})
    await send({"type": "http.response.body", "body": body})
