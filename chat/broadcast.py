"""The only place that pushes to browsers: what happened goes to the sockets of this process that may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from agents_app import runtime
from agents_app.models import Event, EventType, RemoteAgent
from agents_app.runtime.relay import Piece
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread
from chat import protocol
from chat.lookout import look_around
from chat.missed import (
    Missed,
    find_head,
    load_events,
    load_items,
    load_missed,
    read,
    streaming_ids,
)
from chat.news import News, frames, load_news, task_frame
from chat.projection import is_for_people
from chat.sockets import Socket, Sockets
from chat.streams import Streams

# A server that begins anew is met by all pages at once. Those that are in step already, and what is written meanwhile, must
# not wait behind them for the threads that read the database.
OPENINGS_AT_ONCE = 16
TOUCHING = (EventType.CONVERSATION_OPENED, EventType.CONVERSATION_CHANGED, EventType.PARTICIPANT_ADDED)


class Browsers:
    """The sockets of this process, by what they look at.

    A socket gets the events of a conversation in the order of its journal, and pieces of text in their place between
    them: while events of a conversation wait for what must be read for them, its pieces wait behind them. Events that
    come meanwhile, of whatever conversation, are read together next time.
    """

    def __init__(self, of: Runtime) -> None:
        self._runtime = of
        self._openings = asyncio.Semaphore(OPENINGS_AT_ONCE)
        self.loop = asyncio.get_running_loop()
        self.sockets = Sockets()
        self.streams = Streams(of.live.snapshot)
        self.seqs: dict[UUID, int] = {}  # up to there everything was told
        self.touched: dict[UUID, datetime] = {}  # when conversations moved in the lists, as was told here
        self._held: dict[tuple[Socket, UUID], list[tuple[Event, list[str]]]] = {}  # while a socket catches up
        self._waiting: list[Event | Piece] = []  # in the order they happened
        self._busy: set[UUID] = set()  # conversations of which something waits, or is told right now
        self._telling: asyncio.Task[None] | None = None
        of.journal.subscribe(self.hear)
        of.live.subscribe(self.stream)
        of.relay.on("session.ended", self.sockets.close_session)
        of.relay.on("conversation.deleted", self._conversation_deleted_elsewhere)
        of.relay.on("agent.changed", self.agent_changed)
        of.beside(look_around(self, of))

    # -- sockets come and go

    def enter(self, socket: Socket) -> None:
        self.sockets.enter(socket)

    def leave(self, socket: Socket) -> None:
        for context_id in self.sockets.leave(socket):
            self.close_conversation(socket, context_id)

    async def open_conversation(self, socket: Socket, context_id: UUID, after: int | None) -> None:
        """Push every event after `after`, then snapshots of what streams, then live. The caller has checked access."""
        key = (socket, context_id)
        self._held[key] = []
        try:
            async with self._openings:
                if socket.is_gone:
                    return
                if not self.sockets.at(context_id):
                    self.seqs.setdefault(context_id, await in_thread(find_head, context_id))
                self.sockets.look_at(socket, context_id)
                missed = await in_thread(load_missed, context_id, after)
            await self._runtime.live.look(streaming_ids(missed.streaming))
            self._catch_up(socket, missed, self._held.pop(key, []))
        finally:
            self._held.pop(key, None)

    def _catch_up(self, socket: Socket, missed: Missed, held: list[tuple[Event, list[str]]]) -> None:
        """In one go, so that nothing is told between: then it need not wait for what is being told to others."""
        for _, frame in frames(missed.news, self.streams) if not missed.too_much else ():
            socket.push(frame)
        for frame in self._present(missed):
            socket.push(frame)
        if socket in (looking := self.sockets.at(missed.context_id)):
            looking[socket] = missed.seq
        for event, told in held:
            self._push_numbered(socket, event, told)

    def close_conversation(self, socket: Socket, context_id: UUID) -> None:
        self.sockets.look_away(socket, context_id)
        if not self.sockets.at(context_id):
            self.seqs.pop(context_id, None)

    def conversation_deleted(self, context_id: UUID, user_ids: Iterable[UUID]) -> None:
        self.sockets.push_to_people(user_ids, protocol.encode("conversation.deleted", id=context_id))
        self.sockets.forget(context_id)
        self.seqs.pop(context_id, None)

    def _conversation_deleted_elsewhere(self, id: str, people: list[str]) -> None:
        self.conversation_deleted(UUID(id), map(UUID, people))

    def agent_changed(self, agent_id: str, down_since: str | None, on_hold: bool) -> None:
        frame = protocol.encode("agent.changed", id=agent_id, down_since=down_since, on_hold=on_hold)
        self.sockets.push_to_people(self.sockets.people, frame)

    # -- what happens

    def hear(self, events: list[Event]) -> None:
        if not self.sockets:
            return
        self._waiting += events
        self._busy.update(event.context_id for event in events)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell_waiting())

    async def stream(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if piece.context_id in self._busy:
                self._waiting.append(piece)
            else:
                self._push_piece(piece)

    async def _tell_waiting(self) -> None:
        try:
            while self._waiting:
                happened, self._waiting = self._waiting, []
                await self._tell([item async for item in self._gapless(happened)])
                self._busy = {item.context_id for item in self._waiting}
        finally:
            self._busy = {item.context_id for item in self._waiting}
            self._telling = None

    async def _gapless(self, happened: list[Event | Piece]) -> AsyncIterator[Event | Piece]:
        """What others did may come late, twice or not at all: what is missing is read from the journal."""
        for item in happened:
            known = self.seqs.get(item.context_id)
            if isinstance(item, Event) and known is not None:
                if item.seq <= known:
                    continue
                if item.seq > known + 1:
                    for event in await read(load_events, item.context_id, known, item.seq - 1):
                        yield event
                self.seqs[item.context_id] = item.seq
            yield item

    async def _tell(self, happened: list[Event | Piece]) -> None:
        events = [item for item in happened if isinstance(item, Event)]
        watched = [event for event in events if self.sockets.at(event.context_id)]
        news = await read(load_news, watched) if watched else News([])
        await self._runtime.live.look(streaming_ids(news.messages.values()))
        for item in happened:
            if isinstance(item, Piece):
                self._push_piece(item)
            elif self.sockets.at(item.context_id):
                self._push_event(item, [frame for _, frame in frames(replace(news, events=[item]), self.streams)])
                await asyncio.sleep(0)  # a message takes a while to render; what streams elsewhere goes first
        await self._touch(events)
        for event in watched:
            if event.type == EventType.PARTICIPANT_REMOVED and "user" in event.data:
                self.expel(event.context_id, UUID(event.data["user"]))

    def _push_piece(self, piece: Piece) -> None:
        sockets = self.sockets.at(piece.context_id)
        if not sockets:
            self.streams.forget(piece.message_id)
            return
        for frame in self.streams.frames(piece):
            for socket in sockets:
                if (socket, piece.context_id) not in self._held:  # it gets a snapshot instead
                    socket.push(frame)

    def _push_event(self, event: Event, told: list[str]) -> None:
        for socket in list(self.sockets.at(event.context_id)):
            held = self._held.get((socket, event.context_id))
            if held is None:
                self._push_numbered(socket, event, told)
            else:
                held.append((event, told))

    def _push_numbered(self, socket: Socket, event: Event, told: list[str]) -> None:
        """A socket may have caught up past this event meanwhile."""
        sockets = self.sockets.at(event.context_id)
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
                html=self.streams.html(message),
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
        self.touched |= {event.context_id: event.created_at for event in events if event.context_id in touched}
        await self.push_items(touched)

    async def push_items(self, context_ids: set[UUID]) -> None:
        for people, frame in await read(load_items, context_ids, self.sockets.people):
            self.sockets.push_to_people(people, frame)

    def expel(self, context_id: UUID, user_id: UUID) -> None:
        for socket in self.sockets.of(user_id):
            socket.push(protocol.encode("conversation.left", id=context_id))
            self.close_conversation(socket, context_id)


_current: tuple[Runtime, Browsers] | None = None


def current() -> Browsers:
    """The browsers of this process's runtime."""
    global _current
    if _current is None or _current[0] is not runtime.current():
        _current = (runtime.current(), Browsers(runtime.current()))
    return _current[1]


def socket_facts() -> list[dict[str, Any]]:
    """What is known of each socket of this process. On its event loop."""
    return _current[1].sockets.facts() if _current is not None else []


def close_sockets(socket: str = "", person: str = "") -> int:
    """Close one socket by its id, all of a person, or all; pages connect again. On the event loop. Returns how many."""
    return _current[1].sockets.close(socket, person) if _current is not None else 0


def count_sockets() -> int:
    """Browsers' sockets that are open in this process. In any thread."""
    return len(_current[1].sockets) if _current is not None else 0


def tell_agent_changed(sender: Any, remote: RemoteAgent, **kwargs: Any) -> None:
    """Signal receiver, in any thread."""
    since = remote.down_since.isoformat() if remote.down_since else None
    facts: dict[str, Any] = {"agent_id": remote.agent_id, "down_since": since, "on_hold": remote.is_on_hold}
    _everywhere("agent.changed", lambda browsers: browsers.agent_changed(**facts), **facts)


def close_sockets_of_session(sender: Any, session_key: str, **kwargs: Any) -> None:
    """Signal receiver: somebody signs out, or is signed out from elsewhere; in a thread of the request."""
    _everywhere("session.ended", lambda browsers: browsers.sockets.close_session(session_key), session_key=session_key)


def conversation_deleted(id: UUID, people: list[UUID]) -> None:
    current().conversation_deleted(id, people)
    runtime.tell_others("conversation.deleted", id=str(id), people=list(map(str, people)))


def _everywhere(name: str, here: Callable[[Browsers], None], **data: Any) -> None:
    """In this process, when it has browsers, and in the others."""
    if _current is not None and not _current[1].loop.is_closed():
        _current[1].loop.call_soon_threadsafe(here, _current[1])
    runtime.tell_others(name, **data)
