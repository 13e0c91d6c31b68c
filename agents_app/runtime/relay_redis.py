"""Between processes through Redis: one channel for everything, so that what one says is heard in its order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agents_app.models import Event
from agents_app.runtime.relay import Beside, Ears, Piece, Relay
from agents_app.runtime.relay_mirror import Gap, Mirrors
from agents_app.runtime.relay_wire import (
    CLOSED,
    EVENTS,
    NAME_BYTES,
    OPENED,
    SAID,
    TOLD,
    Item,
    pack,
    pack_event,
    unpack,
    unpack_event,
)

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0  # a Redis that takes longer is taken for gone
BEAT_SECONDS = 1.0  # so often each process says something, to hear that it is heard
SILENT_SECONDS = 4.0  # who hears not even itself for so long has lost its connection
AGAIN_SECONDS = 0.5
BUFFER_SECONDS = 3600  # a writer that died closes nothing
AWAY = (RedisError, OSError, TimeoutError)


class RedisRelay(Relay):
    """Says what waits in one pipeline: first the texts, appended to their buffers, then the news of it. So who hears
    a piece and misses those before finds them in the buffer.

    While Redis is away nothing is kept to be said later: the journal is the truth, and buffers are written anew.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._name = uuid4().hex[:NAME_BYTES]
        self._redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),  # a text that is appended twice is wrong for ever
            socket_connect_timeout=ANSWER_SECONDS,
        )
        database = self._redis.connection_pool.connection_kwargs.get("db", 0)
        self._prefix = f"tkr_chat:{database}:"  # channels, other than keys, are the same in all databases
        self._channel = f"{self._prefix}relay:1"
        self._link = _Link()
        self._mirrors = Mirrors()
        self._runs: dict[UUID, str] = {}  # of what streams here
        self._unsaid: list[Item] = []
        self._unwritten: set[UUID] = set()  # buffers in Redis that may lack something
        self._saying = asyncio.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ears: Ears | None = None

    def begin(self, ears: Ears, beside: Beside) -> None:
        if self._loop is None:
            self._loop, self._ears = asyncio.get_running_loop(), ears
            beside(self._speak())
            beside(self._listen())

    async def end(self) -> None:
        if self._loop is not None:
            await asyncio.sleep(0)  # for commits that are about to be told
            await self._say()
            await self._redis.aclose()

    # -- said here

    def opened(self, context_id: UUID, message_id: UUID, text: str) -> None:
        self._runs[message_id] = run = uuid4().hex[:8]
        self._mirrors.close(message_id)
        self._put([OPENED, str(message_id), run, text])

    def said(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if run := self._runs.get(piece.message_id):
                self._put([SAID, str(piece.message_id), run, piece.offset, piece.text, str(piece.context_id)])

    def closed(self, message_id: UUID) -> None:
        if run := self._runs.pop(message_id, None):
            self._unwritten.discard(message_id)
            self._put([CLOSED, str(message_id), run])

    def committed(self, events: list[Event]) -> None:
        self._put([EVENTS, [pack_event(event) for event in events]])

    def tell(self, name: str, **data: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, [TOLD, name, data])

    def _put(self, item: Item) -> None:
        if self._loop is not None:
            self._unsaid.append(item)
            self._wake.set()

    async def _speak(self) -> None:
        while True:
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            if not await self._say():
                await asyncio.sleep(AGAIN_SECONDS)

    async def _say(self) -> bool:
        async with self._saying:
            items, self._unsaid = self._unsaid, []
            pipe = self._redis.pipeline(transaction=False)
            self._write_buffers(pipe, items)  # at once: what is said from now on goes with the next
            pipe.publish(self._channel, pack(self._name, items))
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await pipe.execute()
            except AWAY as error:
                self._unwritten.update(self._runs)
                self._link.lost("speak", error)
                return False
        self._link.found("speak")
        return True

    def _write_buffers(self, pipe: Any, items: Sequence[Item]) -> None:
        assert self._ears is not None
        whole, self._unwritten = self._unwritten, set()
        for message_id in whole & self._runs.keys():
            self._begin_buffer(pipe, str(message_id), self._runs[message_id], self._ears.said_here(message_id) or "")
        skipped = {str(message_id) for message_id in whole}
        grown: dict[str, list[str]] = {}
        for kind, message_id, *values in (item for item in items if item[0] in (OPENED, SAID, CLOSED)):
            if kind == CLOSED:
                grown.pop(self._buffer(message_id, values[0]), None)
                pipe.delete(self._buffer(message_id, values[0]))
            elif message_id in skipped:
                continue
            elif kind == OPENED:
                self._begin_buffer(pipe, message_id, values[0], values[1])
            else:
                grown.setdefault(self._buffer(message_id, values[0]), []).append(values[2])
        for key, texts in grown.items():
            pipe.append(key, "".join(texts).encode(errors="replace"))

    def _begin_buffer(self, pipe: Any, message_id: str, run: str, text: str) -> None:
        pipe.set(self._buffer(message_id), run, ex=BUFFER_SECONDS)
        pipe.set(self._buffer(message_id, run), text.encode(errors="replace"), ex=BUFFER_SECONDS)

    def _buffer(self, *names: str) -> str:
        return ":".join((f"{self._prefix}live", *names))

    # -- heard

    def snapshot(self, message_id: UUID) -> str | None:
        return self._mirrors.snapshot(message_id)

    async def look(self, message_ids: Sequence[UUID]) -> None:
        if self._link.is_up and self._loop is not None:
            for message_id in message_ids:
                if message_id not in self._runs and self._mirrors.snapshot(message_id) is None:
                    await self._find(message_id)

    async def _find(self, message_id: UUID) -> str | None:
        """Take what the buffer holds for what was heard; returns who writes it."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found: Any = await self._redis.get(self._buffer(str(message_id)))
                run = str(found, "ascii") if found else None
                text: Any = await self._redis.get(self._buffer(str(message_id), run)) if run else None
        except AWAY as error:
            self._link.lost("speak", error)
            return None
        if run is None or text is None:
            return None
        said = str(text, "utf-8")
        if len(said) > self._mirrors.known(message_id, run):  # more may have been heard while this was on its way
            self._mirrors.open(message_id, run, said)
        return run

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await heard.subscribe(self._channel)
                    self._mirrors.clear()  # pieces were missed, nobody knows which
                    self._link.found("listen")
                    await self._hear(heard)
            except AWAY as error:
                self._link.lost("listen", error)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, heard: Any) -> None:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                message = await heard.get_message(timeout=None)
            if message is not None:
                await self._take(unpack(self._name, message["data"]))

    async def _take(self, items: Sequence[Item]) -> None:
        """In the order in which it was said: events go before the pieces that follow them."""
        assert self._ears is not None
        pieces: list[Piece] = []
        for kind, *values in items:
            if kind == SAID:
                pieces += await self._take_piece(*values)
                continue
            if pieces:
                await self._ears.pieces(pieces)
                pieces = []
            self._take_other(kind, values)
        if pieces:
            await self._ears.pieces(pieces)

    def _take_other(self, kind: str, values: Item) -> None:
        assert self._ears is not None
        if kind == EVENTS:
            self._ears.events([unpack_event(event) for event in values[0]])
        elif kind == OPENED:
            self._mirrors.open(UUID(values[0]), values[1], values[2])
        elif kind == CLOSED:
            self._mirrors.close(UUID(values[0]), values[1])
        elif kind == TOLD:
            for receive in self._receivers.get(values[0], ()):
                receive(**values[1])

    async def _take_piece(self, message_id: str, run: str, offset: int, text: str, context_id: str) -> list[Piece]:
        piece = Piece(UUID(context_id), UUID(message_id), offset, text)
        try:
            fresh = self._mirrors.hear(piece, run)
            return [fresh] if fresh else []
        except Gap:
            if piece.message_id in self._runs or await self._find(piece.message_id) != run:
                return []  # who wrote before does not matter any more
        if self._mirrors.known(piece.message_id, run) < offset + len(text):  # Redis threw the buffer away
            self._mirrors.close(piece.message_id)
            return []
        # From its beginning: each reader leaves out what it has.
        return [piece._replace(offset=0, text=self._mirrors.snapshot(piece.message_id) or "")]


class _Link:
    """One line when Redis goes and one when it is back, whatever is tried meanwhile."""

    def __init__(self) -> None:
        self._lost: set[str] = set()

    @property
    def is_up(self) -> bool:
        return not self._lost

    def lost(self, way: str, error: BaseException) -> None:
        if not self._lost:
            why = str(error) or type(error).__name__
            logger.warning("Redis is away; answers arrive late: %s", why, extra={"action": "relay.lost"})
        self._lost.add(way)

    def found(self, way: str) -> None:
        if way in self._lost:
            self._lost.discard(way)
            if not self._lost:
                logger.info("Redis is back.", extra={"action": "relay.found"})
