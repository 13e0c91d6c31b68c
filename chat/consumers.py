"""A browser's WebSocket: checks access on every frame, hands the work to actions, decides nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import Any
from uuid import UUID

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError

from accounts import tracing
from accounts.browsers import browser_name
from accounts.context import bind
from accounts.models import User
from agents_app.actions.tasks import TaskOver, cancel_task, decide
from agents_app.rates import RateExceeded
from agents_app.runtime.journal import Refused
from agents_app.runtime.receipt import is_full
from agents_app.threads import in_thread
from chat import access, broadcast, protocol, rates
from chat.actions.conversations import mark_read
from chat.actions.messages import BadMessage, post_message, retry_message
from chat.traffic import traffic

logger = logging.getLogger(__name__)

STARTS_WORK = protocol.PostMessage | protocol.RetryMessage | protocol.DecideTask  # these are traced
UNREAD_AT_MOST = 5000  # frames; more than that of one conversation is read anew anyway


class BrowserConsumer(AsyncWebsocketConsumer):
    """One for each tab, for all its conversations. Frames are in `chat/protocol.py`."""

    channel_layer_alias = ""  # frames are pushed directly; a channel for each socket would only cost memory
    user: User

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Instead of Channels' loop, which serves a channel layer and closes database connections: a task for each socket,
        and a hop to a thread for each message."""
        self.scope, self.base_send, self.channel_layer = scope, send, None
        try:
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            pass

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(code=protocol.SIGNED_OUT)
            return
        self.user = user
        self.user_id: UUID = user.id
        self.since = self.heard_at = time.time()
        self.frames_in = self.frames_out = 0
        bind(person=user.id)
        self.session_key: str = self.scope["session"].session_key or ""
        self._outgoing: deque[str] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        broadcast.current().enter(self)
        opened = {"user": user.id, "version": protocol.VERSION, **({"traces": True} if tracing.is_on() else {})}
        self.push(protocol.encode("session.opened", **opened))

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "user"):
            broadcast.current().leave(self)
            self._outgoing.clear()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        traffic.frames_in += 1
        self.frames_in += 1
        self.heard_at = time.time()
        try:
            frame = protocol.parse(text_data or "")
        except protocol.BadFrame as bad:
            self._refuse(bad.code, str(bad))
            return
        try:
            await rates.count_frame(self.user_id)
            await self._take(frame)
        except RateExceeded as exceeded:
            self._refuse("too-many", str(exceeded), frame)
        except access.NotFound as missing:
            self._refuse("not-found", str(missing), frame)
        except (BadMessage, Refused) as refused:
            self._refuse("refused", str(refused), frame)
        except (DatabaseError, InterfaceError) as error:
            logger.exception("A frame could not be saved.", extra={"action": "frame.failed"})
            why = "The server's disk is full." if is_full(error) else "The server could not save this."
            self._refuse("unavailable", f"{why} It is tried again.", frame)

    async def _take(self, frame: protocol.InFrame) -> None:
        if isinstance(frame, protocol.TimeMessage):
            tracing.was("browser message", frame.traceparent, frame.milliseconds / 1000)
        elif isinstance(frame, STARTS_WORK):
            came_from = getattr(frame, "traceparent", None) or ""
            with tracing.span(f"frame {frame.type}", parent=came_from, person=self.user_id):
                await self._dispatch(frame)
        else:
            await self._dispatch(frame)

    async def _dispatch(self, frame: protocol.InFrame) -> None:
        match frame:
            case protocol.OpenConversation():
                conversation = await self._conversation(frame.id)
                await broadcast.current().open_conversation(self, conversation.id, frame.after)
            case protocol.CloseConversation():
                broadcast.current().close_conversation(self, frame.id)
            case protocol.ReadConversation():
                await mark_read(self.user, await self._conversation(frame.id), frame.seq)
            case protocol.PostMessage():
                conversation = await self._conversation(frame.conversation)
                message = await post_message(self.user, conversation, frame.client_id, frame.text, frame.attachments)
                self.push(protocol.encode("message.saved", client_id=frame.client_id, id=message.id))
            case protocol.RetryMessage():
                await retry_message(self.user, await in_thread(access.get_message, self.user, frame.message))
            case protocol.CancelTask():
                task = await in_thread(access.get_task, self.user, frame.task)
                self._spawn(cancel_task(task))
            case protocol.DecideTask():
                await decide(await in_thread(access.get_task, self.user, frame.task), frame.choice)
                self.push(protocol.encode("task.decided", task=frame.task, choice=frame.choice))

    async def _conversation(self, id: UUID) -> Any:
        return await in_thread(access.get_conversation, self.user, id)

    def _refuse(self, code: str, error: str, frame: protocol.InFrame | None = None) -> None:
        if isinstance(frame, protocol.PostMessage):
            retry = code == "unavailable"
            self.push(protocol.encode("message.refused", client_id=frame.client_id, error=error, retry=retry))
        else:
            task = getattr(frame, "task", None)
            self.push(protocol.encode("frame.refused", code=code, error=error, frame=frame and frame.type, task=task))

    def _spawn(self, work: Any) -> None:
        """Work that takes a while: the next frame must not wait for it."""

        async def run() -> None:
            try:
                await work
            except TaskOver:
                pass  # it ended by itself meanwhile, as everybody sees

        job = asyncio.get_running_loop().create_task(run())
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    # -- what the broadcast calls

    @property
    def is_gone(self) -> bool:
        """Nobody hears it any more, and `disconnect` comes only after the frame that is worked on."""
        return bool(self.scope.get("state", {}).get("is_gone"))

    def facts(self) -> dict[str, Any]:
        """What an operator sees of it: seconds since 1970, characters."""
        headers = dict(self.scope.get("headers", ()))
        client = self.scope.get("client") or ("",)
        return {
            "id": f"{id(self):x}",
            "person": str(self.user_id),
            "address": client[0],
            "browser": browser_name(headers.get(b"user-agent", b"").decode("latin-1")),
            "since": self.since,
            "heard_at": max(self.heard_at, self.scope.get("state", {}).get("pong_at", 0.0)),
            "frames_in": self.frames_in,
            "frames_out": self.frames_out,
            "waiting": sum(map(len, self._outgoing)),
        }

    def push(self, frame: str) -> None:
        traffic.frames_out += 1
        self.frames_out += 1
        if len(self._outgoing) >= UNREAD_AT_MOST:
            self._outgoing.clear()
            self.close_soon(protocol.TOO_SLOW)
            broadcast.current().leave(self)
            return
        self._outgoing.append(frame)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    def close_soon(self, code: int) -> None:
        self._spawn(self.close(code=code))

    async def _write(self) -> None:
        try:
            while self._outgoing:
                await self.base_send({"type": "websocket.send", "text": self._outgoing.popleft()})
        except OSError:  # it went away; `disconnect` follows
            self._outgoing.clear()
        finally:
            self._writer = None
