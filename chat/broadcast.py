"""The only place that pushes to browsers: what happened goes to the sockets of this process that may see it."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from agents_app import runtime
from agents_app.models import Event, EventType, RemoteAgent
from agents_app.runtime.relay import Piece
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread
from chat import protocol
from chat.lost_access import find_lost_access
from chat.missed import (
    Missed,
    find_head,
    find_heads,
    find_moved,
    load_events,
    load_items,
    load_missed,
    load_saved_text,
    read,
    streaming_ids,
)
from chat.news import News, frames, load_news, task_frame
from chat.projection import is_for_people
from chat.streams import Streams

LOOK_SECONDS = 2.0  # between looks for what nobody told of
LOOK_ALONE_SECONDS = 1.0  # the same without Redis, where nobody tells
RECENT = timedelta(seconds=15)  # clocks of several machines differ, and commits come late
TOUCHING = (EventType.CONVERSATION_OPENED, EventType.CONVERSATION_CHANGED, EventType.PARTICIPANT_ADDED)


class Socket(Protocol):
    """A browser's socket, as the broadcast needs it."""

    user_id: UUID
    session_key: str

    def push(self, frame: str) -> None: ...

    def close_soon(self, code: int) -> None: ...

    def facts(self) -> dict[str, Any]: ...


class Browsers:
    """The sockets of this process, by what they look at.

    A socket gets the events of a conversation in the order of its journal, and pieces of text in their place between
    them: while events of a conversation wait for what must be read for them, its pieces wait behind them. Events that
    come meanwhile, of whatever conversation, are read together next time.
    """

    def __init__(self, of: Runtime) -> None:
        self._runtime = of
        self._lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()
        self._streams = Streams(of.live.snapshot)
        self._by_context: dict[UUID, dict[Socket, int]] = defaultdict(dict)  # with the last number each was told
        self._seqs: dict[UUID, int] = {}  # up to there everything was told
        self._touched: dict[UUID, datetime] = {}  # when conversations moved in the lists, as was told here
        self._by_user: dict[UUID, set[Socket]] = defaultdict(set)
        self._held: dict[tuple[Socket, UUID], list[tuple[Event, list[str]]]] = {}  # while a socket catches up
        self._waiting: list[Event | Piece] = []  # in the order they happened
        self._busy: set[UUID] = set()  # conversations of which something waits, or is told right now
        self._telling: asyncio.Task[None] | None = None
        of.journal.subscribe(self._hear)
        of.live.subscribe(self._stream)
        of.relay.on("session.ended", self.close_session)
        of.relay.on("conversation.deleted", self._conversation_deleted_elsewhere)
        of.relay.on("agent.changed", self.agent_changed)
        of.beside(self._look_around())

    # -- sockets come and go

    def enter(self, socket: Socket) -> None:
        self._by_user[socket.user_id].add(socket)

    def leave(self, socket: Socket) -> None:
        for context_id in [id for id, sockets in self._by_context.items() if socket in sockets]:
            self.close_conversation(socket, context_id)
        _discard(self._by_user, socket.user_id, socket)

    def count(self) -> int:
        return sum(map(len, list(self._by_user.values())))

    async def open_conversation(self, socket: Socket, context_id: UUID, after: int | None) -> None:
        """Push every event after `after`, then snapshots of what streams, then live. The caller has checked access."""
        key = (socket, context_id)
        self._held[key] = []
        if context_id not in self._by_context:
            self._seqs.setdefault(context_id, await in_thread(find_head, context_id))
        self._by_context[context_id][socket] = 0
        try:
            missed = await in_thread(load_missed, context_id, after)
            await self._runtime.live.look(streaming_ids(missed.streaming))
            async with self._lock:
                for _, frame in frames(missed.news, self._streams) if not missed.too_much else ():
                    socket.push(frame)
                for frame in self._present(missed):
                    socket.push(frame)
                if context_id in self._by_context and socket in self._by_context[context_id]:
                    self._by_context[context_id][socket] = missed.seq
                for event, told in self._held.pop(key, ()):
                    self._push_numbered(socket, event, told)
        finally:
            self._held.pop(key, None)

    def close_conversation(self, socket: Socket, context_id: UUID) -> None:
        sockets = self._by_context.get(context_id)
        if sockets is not None:
            sockets.pop(socket, None)
            if not sockets:
                self._forget(context_id)

    def _forget(self, context_id: UUID) -> None:
        self._by_context.pop(context_id, None)
        self._seqs.pop(context_id, None)

    def close_session(self, session_key: str) -> None:
        """Somebody signed out: their sockets must not listen on."""
        for sockets in list(self._by_user.values()):
            for socket in list(sockets):
                if socket.session_key == session_key:
                    socket.close_soon(protocol.SIGNED_OUT)

    def close_sockets(self, id: str, person: str) -> int:
        closed = 0
        for socket in [each for sockets in self._by_user.values() for each in sockets]:
            if (not id or socket.facts()["id"] == id) and (not person or str(socket.user_id) == person):
                socket.close_soon(protocol.RESET)
                closed += 1
        return closed

    def facts(self) -> list[dict[str, Any]]:
        looked_at: dict[Socket, list[str]] = defaultdict(list)
        for context_id, sockets in self._by_context.items():
            for socket in sockets:
                looked_at[socket].append(str(context_id))
        everybody = [socket for sockets in self._by_user.values() for socket in sockets]
        return [{**socket.facts(), "conversations": looked_at.get(socket, [])} for socket in everybody]

    def conversation_deleted(self, context_id: UUID, user_ids: Iterable[UUID]) -> None:
        self._push_to_people(user_ids, protocol.encode("conversation.deleted", id=context_id))
        self._forget(context_id)

    def _conversation_deleted_elsewhere(self, id: str, people: list[str]) -> None:
        self.conversation_deleted(UUID(id), map(UUID, people))

    def agent_changed(self, agent_id: str, down_since: str | None, on_hold: bool) -> None:
        frame = protocol.encode("agent.changed", id=agent_id, down_since=down_since, on_hold=on_hold)
        self._push_to_people(list(self._by_user), frame)

    # -- what happens

    def _hear(self, events: list[Event]) -> None:
        if not self._by_user:
            return
        self._waiting += events
        self._busy.update(event.context_id for event in events)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_waiting())

    async def _stream(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if piece.context_id in self._busy:
                self._waiting.append(piece)
            else:
                self._push_piece(piece)

    async def _tell_waiting(self) -> None:
        try:
            while self._waiting:
                happened, self._waiting = self._waiting, []
                async with self._lock:
                    await self._tell([item async for item in self._gapless(happened)])
                self._busy = {item.context_id for item in self._waiting}
        finally:
            self._busy = {item.context_id for item in self._waiting}
            self._telling = None

    async def _gapless(self, happened: list[Event | Piece]) -> AsyncIterator[Event | Piece]:
        """What others did may come late, twice or not at all: what is missing is read from the journal."""
        for item in happened:
            known = self._seqs.get(item.context_id)
            if isinstance(item, Event) and known is not None:
                if item.seq <= known:
                    continue
                if item.seq > known + 1:
                    for event in await read(load_events, item.context_id, known, item.seq - 1):
                        yield event
                self._seqs[item.context_id] = item.seq
            yield item

    async def _tell(self, happened: list[Event | Piece]) -> None:
        events = [item for item in happened if isinstance(item, Event)]
        watched = [event for event in events if event.context_id in self._by_context]
        news = await read(load_news, watched) if watched else News([])
        await self._runtime.live.look(streaming_ids(news.messages.values()))
        for item in happened:
            if isinstance(item, Piece):
                self._push_piece(item)
            elif item.context_id in self._by_context:
                self._push_event(item, [frame for _, frame in frames(replace(news, events=[item]), self._streams)])
                await asyncio.sleep(0)  # a message takes a while to render; what streams elsewhere goes first
        await self._touch(events)
        for event in watched:
            if event.type == EventType.PARTICIPANT_REMOVED and "user" in event.data:
                self._expel(event.context_id, UUID(event.data["user"]))

    def _push_piece(self, piece: Piece) -> None:
        sockets = self._by_context.get(piece.context_id)
        if not sockets:
            self._streams.forget(piece.message_id)
            return
        for frame in self._streams.frames(piece):
            for socket in sockets:
                if (socket, piece.context_id) not in self._held:  # it gets a snapshot instead
                    socket.push(frame)

    def _push_event(self, event: Event, told: list[str]) -> None:
        for socket in list(self._by_context.get(event.context_id, ())):
            held = self._held.get((socket, event.context_id))
            if held is None:
                self._push_numbered(socket, event, told)
            else:
                held.append((event, told))

    def _push_numbered(self, socket: Socket, event: Event, told: list[str]) -> None:
        """A socket may have caught up past this event meanwhile."""
        sockets = self._by_context.get(event.context_id, {})
        if event.seq > sockets.get(socket, event.seq):
            sockets[socket] = event.seq
            for frame in told:
                socket.push(frame)

    def _present(self, missed: Missed) -> Iterable[str]:
        """What a browser must know besides the events: what streams, who works, and that it has everything."""
        for message in missed.streaming:
            yield protocol.encode(
                "message.changed",
                conversation=missed.context_id,
                seq=missed.seq,
                id=message.id,
                html=self._streams.html(message),
                inner=message.inner,
                parent_step=missed.news.parent_steps.get(message.task_id) if message.task_id else None,
            )
        for task in missed.unfinished:
            yield task_frame(task, missed.seq)
        yield protocol.encode("conversation.opened", id=missed.context_id, seq=missed.seq, reset=missed.too_much)

    async def _touch(self, events: list[Event]) -> None:
        """Bring a conversation to the top of its people's lists."""
        touched = {event.context_id for event in events if is_for_people(event) or event.type in TOUCHING}
        if not touched:
            return
        self._touched |= {event.context_id: event.created_at for event in events if event.context_id in touched}
        await self._push_items(touched)

    async def _push_items(self, context_ids: set[UUID]) -> None:
        for people, frame in await read(load_items, context_ids, set(self._by_user)):
            self._push_to_people(people, frame)

    # -- what nobody told of: a notice got lost, or there is nothing that carries any

    async def _look_around(self) -> None:
        others_sign_out = bool(settings.REDIS_URL or settings.ON_POSTGRESQL)  # web processes besides this one
        next_access = time.monotonic() + LOOK_SECONDS
        while True:
            await asyncio.sleep(LOOK_SECONDS if settings.REDIS_URL else LOOK_ALONE_SECONDS)
            try:
                await self._look_for_numbers()
                await self._look_for_text()
                await self._look_for_moved()
                if others_sign_out and time.monotonic() >= next_access:
                    next_access = time.monotonic() + LOOK_SECONDS
                    await self._look_for_access()
            except (DatabaseError, InterfaceError):
                pass  # whoever writes says so; the next look finds what this one would have

    async def _look_for_numbers(self) -> None:
        heads = await in_thread(find_heads, list(self._seqs)) if self._seqs else {}
        for context_id, seq in heads.items():
            known = self._seqs.get(context_id)
            if known is not None and seq > known:
                self._hear(await in_thread(load_events, context_id, known, seq))

    async def _look_for_text(self) -> None:
        """Of what streams in other processes, when no pieces come from there: as much of it as is saved."""
        elsewhere = [id for id in self._streams.ids() if self._runtime.live.snapshot(id) is None]
        if elsewhere:
            await self._stream(await in_thread(load_saved_text, elsewhere))

    async def _look_for_moved(self) -> None:
        since = timezone.now() - RECENT
        self._touched = {id: at for id, at in self._touched.items() if at >= since}
        moved = await in_thread(find_moved, set(self._by_user), since) if self._by_user else {}
        news = {id: at for id, at in moved.items() if at > self._touched.get(id, since)}
        self._touched |= news
        if news:
            await self._push_items(set(news))

    async def _look_for_access(self) -> None:
        keys = {socket.session_key for sockets in self._by_user.values() for socket in sockets} - {""}
        seats = {(id, socket.user_id) for id, sockets in self._by_context.items() for socket in sockets}
        if not keys and not seats:
            return
        lost = await in_thread(find_lost_access, keys, seats)
        for key in lost.session_keys:
            self.close_session(key)
        for context_id, user_id in lost.deleted:
            self.conversation_deleted(context_id, [user_id])
        for context_id, user_id in lost.seats:
            self._expel(context_id, user_id)

    def _push_to_people(self, user_ids: Iterable[UUID], frame: str) -> None:
        for user_id in user_ids:
            for socket in self._by_user.get(user_id, ()):
                socket.push(frame)

    def _expel(self, context_id: UUID, user_id: UUID) -> None:
        for socket in self._by_user.get(user_id, ()):
            socket.push(protocol.encode("conversation.left", id=context_id))
            self.close_conversation(socket, context_id)


def _discard(index: dict[UUID, set[Socket]], key: UUID, socket: Socket) -> None:
    sockets = index.get(key)
    if sockets is not None:
        sockets.discard(socket)
        if not sockets:
            del index[key]


_current: tuple[Runtime, Browsers] | None = None


def current() -> Browsers:
    """The browsers of this process's runtime."""
    global _current
    if _current is None or _current[0] is not runtime.current():
        _current = (runtime.current(), Browsers(runtime.current()))
    return _current[1]


def socket_facts() -> list[dict[str, Any]]:
    """What is known of each socket of this process. On its event loop."""
    return _current[1].facts() if _current is not None else []


def close_sockets(socket: str = "", person: str = "") -> int:
    """Close one socket by its id, all of a person, or all; pages connect again. On the event loop. Returns how many."""
    return _current[1].close_sockets(socket, person) if _current is not None else 0


def count_sockets() -> int:
    """Browsers' sockets that are open in this process. In any thread."""
    return _current[1].count() if _current is not None else 0


def tell_agent_changed(sender: Any, remote: RemoteAgent, **kwargs: Any) -> None:
    """Signal receiver, in any thread."""
    since = remote.down_since.isoformat() if remote.down_since else None
    _everywhere("agent.changed", "agent_changed", agent_id=remote.agent_id, down_since=since, on_hold=remote.is_on_hold)


def close_sockets_of_session(sender: Any, session_key: str, **kwargs: Any) -> None:
    """Signal receiver: somebody signs out, or is signed out from elsewhere; in a thread of the request."""
    _everywhere("session.ended", "close_session", session_key=session_key)


def conversation_deleted(id: UUID, people: list[UUID]) -> None:
    current().conversation_deleted(id, people)
    runtime.tell_others("conversation.deleted", id=str(id), people=list(map(str, people)))


def _everywhere(name: str, method: str, **data: Any) -> None:
    """In this process, when it has browsers, and in the others."""
    if _current is not None and not _current[1].loop.is_closed():
        _current[1].loop.call_soon_threadsafe(partial(getattr(_current[1], method), **data))
    runtime.tell_others(name, **data)
