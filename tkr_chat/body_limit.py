"""No request to Django may bring more than a file may be large, and it is told so before it has brought it.

Django keeps a whole body on disk before a view can look at its size.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

AROUND_BYTES = 64 * 1024  # of a form around the file in it
LINGER_SECONDS = 2.0  # a connection that is closed while it is written to loses the answer


class TooLarge(Exception):
    """The body is larger than any that is expected."""


class BodyLimit:
    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        most = max(settings.ATTACHMENT_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE) + AROUND_BYTES
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        if _announced(scope) > most:
            await _refuse(receive, send)
            return
        try:
            await self._application(scope, _counted(receive, most), noting)
        except TooLarge:
            if not begun:
                await _refuse(receive, send)


def _announced(scope: Any) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _counted(receive: Receive, most: int) -> Receive:
    """For bodies whose length nobody announced."""
    so_far = 0

    async def counted() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > most:
            raise TooLarge
        return message

    return counted


async def _refuse(receive: Receive, send: Send) -> None:
    limit = settings.ATTACHMENT_MAX_BYTES
    words = f"{limit / 2**20:g} MB" if limit >= 2**20 else f"{limit:,} bytes"
    body = json.dumps({"error": {"code": "too_large", "message": f"This is too large: at most {words}."}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
