"""The same pieces by simpler means, for scale: Daphne alone, and Channels with one `group_send` per piece."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any
from uuid import uuid4

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
get_asgi_application()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from bench.schedule import pieces  # noqa: E402


class _Peer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        self.name = uuid4().hex
        await self.send(json.dumps({"type": "session.opened"}))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.job = asyncio.create_task(self._stream(text_data or ""))

    async def _stream(self, request: str) -> None:
        offset = 0
        async for text in pieces(request):
            frame = {"type": "message.streamed", "conversation": self.name, "message": self.name}
            await self.say(json.dumps(frame | {"offset": offset, "text": text}))
            offset += len(text)

    async def say(self, frame: str) -> None:
        raise NotImplementedError


class Direct(_Peer):
    async def say(self, frame: str) -> None:
        await self.send(frame)


class Grouped(_Peer):
    async def connect(self) -> None:
        await super().connect()
        await self.channel_layer.group_add(self.name, self.channel_name)

    async def say(self, frame: str) -> None:
        await self.channel_layer.group_send(self.name, {"type": "piece", "frame": frame})

    async def piece(self, event: dict[str, Any]) -> None:
        await self.send(event["frame"])


application = ProtocolTypeRouter(
    {"websocket": URLRouter([path("direct", Direct.as_asgi()), path("grouped", Grouped.as_asgi())])}
)
