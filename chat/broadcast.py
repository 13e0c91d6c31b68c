"""The only place that pushes to browsers: what happened goes to the sockets of this process that may see it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Prefetch

from agents_app import runtime
from agents_app.models import INTERRUPTED, RUNNABLE, Event, EventType, JournalHead, Message, RemoteAgent, Task
from agents_app.runtime.live import Piece
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread
from chat import protocol
from chat.loading import load_messages
from chat.models import Conversation, Participant
from chat.news import News, frames, load_news, task_frame
from chat.projection import is_for_people
from chat.rendering import conversation_item_html
from chat.streams import Streams

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

READ_AGAIN_SECONDS = 0.5
MISSED_AT_MOST = 500  # events; whoever missed more loads the conversation anew
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
        self._by_context: dict[UUID, set[Socket]] = defaultdict(set)
        self._by_user: dict[UUID, set[Socket]] = defaultdict(set)
        self._held: dict[tuple[Socket, UUID], list[tuple[Event, str]]] = {}  # while a socket catches up
        self._waiting: list[Event | Piece] = []  # in the order they happened
        self._busy: set[UUID] = set()  # conversations of which something waits, or is told right now
        self._telling: asyncio.Task[None] | None = None
        of.journal.subscribe(self._hear)
        of.live.subscribe(self._stream)

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
        self._by_context[context_id].add(socket)
        try:
            missed = await in_thread(_load_missed, context_id, after)
            async with self._lock:
                for _, frame in frames(missed.news, self._streams) if not missed.too_much else ():
                    socket.push(frame)
                for frame in self._present(missed):
                    socket.push(frame)
                for event, frame in self._held.pop(key, ()):
                    if event.seq > missed.seq:
                        socket.push(frame)
        finally:
            self._held.pop(key, None)

    def close_conversation(self, socket: Socket, context_id: UUID) -> None:
        _discard(self._by_context, context_id, socket)

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
        self._by_context.pop(context_id, None)

    def agent_changed(self, agent_id: str, down_since: datetime | None, on_hold: bool) -> None:
        since = down_since.isoformat() if down_since else None
        frame = protocol.encode("agent.changed", id=agent_id, down_since=since, on_hold=on_hold)
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
                    await self._tell(happened)
                self._busy = {item.context_id for item in self._waiting}
        finally:
            self._busy = {item.context_id for item in self._waiting}
            self._telling = None

    async def _tell(self, happened: list[Event | Piece]) -> None:
        events = [item for item in happened if isinstance(item, Event)]
        watched = [event for event in events if event.context_id in self._by_context]
        news = await _read(load_news, watched) if watched else News([])
        for item in happened:
            if isinstance(item, Piece):
                self._push_piece(item)
            elif item.context_id in self._by_context:
                for event, frame in frames(replace(news, events=[item]), self._streams):
                    self._push_event(event, frame)
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

    def _push_event(self, event: Event, frame: str) -> None:
        for socket in self._by_context.get(event.context_id, ()):
            held = self._held.get((socket, event.context_id))
            if held is None:
                socket.push(frame)
            else:
                held.append((event, frame))

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
        for people, frame in await _read(_load_items, touched, set(self._by_user)):
            self._push_to_people(people, frame)

    def _push_to_people(self, user_ids: Iterable[UUID], frame: str) -> None:
        for user_id in user_ids:
            for socket in self._by_user.get(user_id, ()):
                socket.push(frame)

    def _expel(self, context_id: UUID, user_id: UUID) -> None:
        for socket in self._by_user.get(user_id, ()):
            socket.push(protocol.encode("conversation.left", id=context_id))
            self.close_conversation(socket, context_id)


class Missed:
    """What a browser that was away needs to be in step again."""

    def __init__(self, context_id: UUID, after: int | None) -> None:
        self.context_id = context_id
        self.seq = JournalHead.objects.filter(context_id=context_id).values_list("seq", flat=True).first() or 0
        start = self.seq if after is None else after
        self.too_much = self.seq - start > MISSED_AT_MOST or start > self.seq
        self.news = News([])
        if not self.too_much and start < self.seq:
            found = Event.objects.filter(context_id=context_id, seq__gt=start, seq__lte=self.seq).order_by("seq")
            events = list(found)
            self.too_much = len(events) < self.seq - start  # old ones are pruned
            self.news = News([]) if self.too_much else load_news(events)
        streaming = Message.objects.in_context(context_id).filter(state=Message.State.STREAMING)
        self.streaming = load_messages(list(streaming.order_by("seq").values_list("id", flat=True)))
        self.unfinished = list(
            Task.objects.filter(context_id=context_id, state__in=(*RUNNABLE, *INTERRUPTED)).select_related("remote")
        )


async def _read(load: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """However long the database is away: what happened is told when it is back, and in its order."""
    while True:
        try:
            return await in_thread(load, *args, **kwargs)
        except (OperationalError, InterfaceError):
            logger.exception("News could not be read; trying again.", extra={"action": "news.retry"})
            await asyncio.sleep(READ_AGAIN_SECONDS)


def _load_missed(context_id: UUID, after: int | None) -> Missed:
    return Missed(context_id, after)


def _load_items(context_ids: set[UUID], online: set[UUID]) -> list[tuple[list[UUID], str]]:
    """For each conversation: who of its people is online, and the frame for them."""
    people = Prefetch("participants", Participant.objects.select_related("agent").order_by("agent__position"))
    items = []
    for conversation in Conversation.objects.filter(id__in=context_ids).prefetch_related(people):
        here = [p.user_id for p in conversation.participants.all() if p.user_id in online]
        if here:
            html = conversation_item_html(conversation)
            items.append((here, protocol.encode("conversation.touched", id=conversation.id, html=html)))
    return items


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
    if _current is not None and not _current[1].loop.is_closed():
        say = partial(_current[1].agent_changed, remote.agent_id, remote.down_since, remote.is_on_hold)
        _current[1].loop.call_soon_threadsafe(say)


def close_sockets_of_session(sender: Any, session_key: str, **kwargs: Any) -> None:
    """Signal receiver: somebody signs out, or is signed out from elsewhere; in a thread of the request."""
    if _current is not None and not _current[1].loop.is_closed():
        _current[1].loop.call_soon_threadsafe(_current[1].close_session, session_key)
