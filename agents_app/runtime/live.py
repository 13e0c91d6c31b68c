"""Text that is streaming right now: pieces, gathered for a moment, addressed by their offset, never journaled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from agents_app.runtime.relay import Piece, Relay

LONGEST_GATHER_SECONDS = 0.25


@dataclass(slots=True)
class _Buffer:
    context_id: UUID
    said: list[str]  # published
    length: int  # of what is published
    waiting: list[str] = field(default_factory=list)  # gathered, not published yet
    unsaved: bool = False

    @property
    def text(self) -> str:
        return "".join(self.said) + "".join(self.waiting)


Subscriber = Callable[[list[Piece]], Awaitable[None]]


class LiveText:
    """Who appends gets an offset; who reads subscribes first, then takes a snapshot: no gap, no duplicate.

    A piece leaves at once when nothing else is streaming, else together with what was gathered meanwhile. Publishing
    never takes more than half of the time: under load the pieces grow larger instead of later.
    """

    def __init__(self, gather_seconds: float, relay: Relay | None = None) -> None:
        self._gather_seconds = gather_seconds
        self._relay = relay or Relay()
        self._buffers: dict[UUID, _Buffer] = {}
        self._dirty: dict[UUID, _Buffer] = {}
        self._subscribers: list[tuple[Subscriber, bool]] = []
        self._flushing: asyncio.Task[None] | None = None

    def open(self, context_id: UUID, message_id: UUID, text: str = "") -> None:
        self._buffers[message_id] = _Buffer(context_id, [text] if text else [], len(text))
        self._relay.opened(context_id, message_id, text)

    def append(self, message_id: UUID, text: str) -> None:
        buffer = self._buffers[message_id]
        buffer.waiting.append(text)
        buffer.unsaved = True
        self._dirty[message_id] = buffer
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_while_dirty())

    def text(self, message_id: UUID) -> str:
        """Everything said so far, published or not."""
        return self._buffers[message_id].text

    def snapshot(self, message_id: UUID) -> str | None:
        """What was published so far; the next piece begins where it ends. None: nothing of it was heard here."""
        buffer = self._buffers.get(message_id)
        return "".join(buffer.said) if buffer else self._relay.snapshot(message_id)

    async def look(self, message_ids: Sequence[UUID]) -> None:
        """Before a snapshot of messages that may stream in another process: find out what was said there."""
        await self._relay.look(message_ids)

    async def pass_on(self, pieces: list[Piece]) -> None:
        """What another process published."""
        for subscriber, everywhere in list(self._subscribers):
            if everywhere:
                await subscriber(pieces)

    @property
    def has_unshown(self) -> bool:
        """Whether something was said, of any message, that is not published yet."""
        return bool(self._dirty)

    def streaming_in(self, context_id: UUID) -> list[UUID]:
        return [message_id for message_id, buffer in self._buffers.items() if buffer.context_id == context_id]

    def take_unsaved(self, message_id: UUID) -> bool:
        """Whether its text grew since the last call."""
        buffer = self._buffers.get(message_id)
        if buffer is None or not buffer.unsaved:
            return False
        buffer.unsaved = False
        return True

    def close(self, message_id: UUID) -> None:
        self._buffers.pop(message_id, None)
        self._dirty.pop(message_id, None)
        self._relay.closed(message_id)

    def subscribe(self, subscriber: Subscriber, *, everywhere: bool = True) -> Callable[[], None]:
        """`everywhere`: also to what streams in other processes."""
        item = (subscriber, everywhere)
        self._subscribers.append(item)
        return lambda: self._subscribers.remove(item) if item in self._subscribers else None

    async def flush(self, message_id: UUID | None = None) -> None:
        """Publish now what was gathered, of one message or of all."""
        if message_id is None:
            dirty, self._dirty = self._dirty, {}
        else:
            buffer = self._dirty.pop(message_id, None)
            dirty = {message_id: buffer} if buffer else {}
        pieces = [self._publish(message_id, buffer) for message_id, buffer in dirty.items()]
        if pieces:
            self._relay.said(pieces)
            for subscriber, _ in list(self._subscribers):
                await subscriber(pieces)

    def _publish(self, message_id: UUID, buffer: _Buffer) -> Piece:
        text = "".join(buffer.waiting)
        piece = Piece(buffer.context_id, message_id, buffer.length, text)
        buffer.said.append(text)
        buffer.waiting.clear()
        buffer.length += len(text)
        return piece

    async def _flush_while_dirty(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while self._dirty:
                started = clock()
                await self.flush()
                spent = clock() - started
                await asyncio.sleep(max(self._gather_seconds - spent, min(spent, LONGEST_GATHER_SECONDS)))
        finally:
            self._flushing = None
