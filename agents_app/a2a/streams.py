"""A task's events as an A2A stream: from a moment on, in order, none lost, none twice, whichever process runs the task."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from agents_app import runtime
from agents_app.a2a import wire
from agents_app.a2a.loading import complete, is_complete, load_events
from agents_app.a2a.wire import Json, TaskView
from agents_app.models import Event, EventType, Message, TaskState
from agents_app.runtime.relay import Piece
from agents_app.runtime.runtime import Runtime
from agents_app.threads import in_thread

POLL_SECONDS = 2.0  # for events of other processes, and for what got lost on the way
WAITING_AT_MOST = 1000  # news for one slow reader; what is more is read from the journal instead
TOGETHER_AT_MOST = 64  # events that are told in one go
TASK_ID = attrgetter("task_id")


class StreamEvent(NamedTuple):
    """`id` numbers it for Last-Event-ID: the task's version, and inside a growing answer also where its text ends."""

    id: str
    json: Json  # a StreamResponse


@dataclass(frozen=True, slots=True)
class Position:
    """What a reader has: events up to `version`, and of the answer that streamed then its first `length` characters."""

    version: int = 0
    message_id: UUID | None = None
    length: int = 0

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """None: not a number of ours."""
        try:
            match text.split("-"):
                case [version]:
                    return cls(int(version))
                case [version, message_id, length]:
                    return cls(int(version), UUID(message_id), int(length))
        except ValueError:
            pass
        return None


def position(version: int, message_id: UUID | None = None, length: int = 0) -> str:
    """What `Position.parse` reads."""
    return f"{version}-{message_id.hex}-{length}" if message_id else str(version)


class _Watch:
    """News of one task for one reader. After a while without any it is incomplete: that nothing was heard is no proof
    that nothing happened."""

    def __init__(self) -> None:
        self.news: deque[Event | Piece] = deque()
        self.is_incomplete = False
        self.wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(POLL_SECONDS, self._look_at_the_clock)

    def close(self) -> None:
        self._timer.cancel()

    def tell(self, items: Sequence[Event | Piece]) -> None:
        if len(self.news) + len(items) > WAITING_AT_MOST:
            self.news.clear()
            self.is_incomplete = True
        self.news.extend(items)
        self._heard_at = self._loop.time()
        self.wake.set()

    def _look_at_the_clock(self) -> None:
        left = self._heard_at + POLL_SECONDS - self._loop.time()
        if left <= 0:
            self.is_incomplete = True
            self.wake.set()
        self._timer = self._loop.call_later(left if left > 0 else POLL_SECONDS, self._look_at_the_clock)


class _Hub:
    """The watches of this process."""

    def __init__(self, of: Runtime) -> None:
        self._by_task: defaultdict[UUID, set[_Watch]] = defaultdict(set)
        self._by_context: defaultdict[UUID, set[_Watch]] = defaultdict(set)
        self.loop = asyncio.get_running_loop()
        of.journal.subscribe(self._hear)
        of.live.subscribe(self._stream)

    def add(self, watch: _Watch, task_id: UUID, context_id: UUID) -> None:
        self._by_task[task_id].add(watch)
        self._by_context[context_id].add(watch)

    def remove(self, watch: _Watch, task_id: UUID, context_id: UUID) -> None:
        for index, key in ((self._by_task, task_id), (self._by_context, context_id)):
            index[key].discard(watch)
            if not index[key]:
                del index[key]

    def wake(self) -> None:
        for watches in self._by_task.values():
            for watch in watches:
                watch.wake.set()

    def _hear(self, events: list[Event]) -> None:
        for task_id, together in groupby(events, TASK_ID) if self._by_task else ():
            if task_id is not None and (watches := self._by_task.get(task_id)):
                its = list(together)
                for watch in watches:
                    watch.tell(its)

    async def _stream(self, pieces: list[Piece]) -> None:
        for piece in pieces if self._by_context else ():
            for watch in self._by_context.get(piece.context_id, ()):
                watch.tell((piece,))


_hubs: WeakKeyDictionary[Runtime, _Hub] = WeakKeyDictionary()


def _hub() -> _Hub:
    current = runtime.current()
    hub = _hubs.get(current)
    if hub is None or hub.loop is not asyncio.get_running_loop():
        hub = _hubs[current] = _Hub(current)
    return hub


def wake_readers() -> None:
    """Every open stream of this process looks around, also when nothing happened."""
    _hub().wake()


class TaskStream:
    """One reader of one task. Watch first, then look at the task, then `follow`: so nothing falls between."""

    def __init__(self, task_id: UUID, context_id: UUID, context: str) -> None:
        self._task_id = task_id
        self._context_id = context_id
        self._names = str(task_id), context  # on the wire
        self._watch = _Watch()
        self._hub = _hub()
        self._version = 0
        self._lengths: dict[UUID, int] = {}  # of the answers, as the reader has them
        self._streaming: UUID | None = None
        self._finished: set[UUID] = set()
        self._hub.add(self._watch, task_id, context_id)

    def close(self) -> None:
        self._watch.close()
        self._hub.remove(self._watch, self._task_id, self._context_id)

    async def begin(self, view: TaskView) -> StreamEvent:
        """The reader gets the task as it is; what follows is what happens from then on."""
        await runtime.current().live.look([m.id for m in view.answers if m.state == Message.State.STREAMING])
        self._version = view.task.version
        for message in view.answers:
            if message.state == Message.State.STREAMING:
                message.text = self._live_text(message)
                self._streaming = message.id
            self._lengths[message.id] = len(message.text)
        return self._event({"task": wire.task_json(view)})

    def resume(self, position: Position) -> None:
        """The reader has everything up to there."""
        self._version = position.version
        if position.message_id:
            self._lengths[position.message_id] = position.length
            self._streaming = position.message_id
        self._watch.is_incomplete = True
        self._watch.wake.set()

    async def follow(self, *, until_waiting: bool) -> AsyncGenerator[list[StreamEvent], None]:
        """What happens next, what was heard together told together, until the task ends; with `until_waiting` also until
        it waits for the caller.

        An empty list: nothing happened for a while. Close the stream after it.
        """
        is_over = False
        while not is_over:
            await self._watch.wake.wait()
            told: list[StreamEvent] = []
            for item in await self._take_news():
                if (event := self._tell(item)) is not None:
                    told.append(event)
                if isinstance(item, Event) and item.type == EventType.TASK_STATUS and _is_over(item, until_waiting):
                    is_over = True
                    break
                if len(told) == TOGETHER_AT_MOST:  # who was away for long has missed thousands
                    yield told
                    told = []
            yield told

    async def _take_news(self) -> list[Event | Piece]:
        """In order and without gaps: what was not heard is read from the journal."""
        self._watch.wake.clear()
        taken: list[Event | Piece] = []
        version = self._version
        if self._watch.is_incomplete:
            self._watch.is_incomplete = False
            taken += await self._missed(version)
            version += len(taken)
        while self._watch.news:
            item = self._watch.news.popleft()
            if isinstance(item, Event):
                if (item.version or 0) > version + 1:
                    missed = await self._missed(version)
                    taken += missed
                    version += len(missed)
                if (item.version or 0) <= version:
                    continue
                version += 1
                if not is_complete(item):
                    await in_thread(complete, item)
                if answer := wire.answer_of(item):
                    await runtime.current().live.look([answer.id])
            taken.append(item)
        return taken

    async def _missed(self, version: int) -> list[Event]:
        return await in_thread(load_events, self._task_id, version)

    def _tell(self, item: Event | Piece) -> StreamEvent | None:
        """None: the reader has it, or A2A has no word for it."""
        if isinstance(item, Piece):
            return self._tell_piece(item)
        if item.version is None or item.version <= self._version:
            return None
        self._version = item.version
        return self._tell_event(item)

    def _tell_event(self, event: Event) -> StreamEvent | None:
        if event.type == EventType.TASK_STATUS:
            return self._event(wire.status_update(event, *self._names))
        if event.type == EventType.TASK_ARTIFACT:
            return self._event(wire.artifact_update(event, *self._names))
        message = wire.answer_of(event)
        if message is None:
            return None
        if event.data.get("cut"):  # what the reader has of it is not what it says now
            self._lengths.pop(message.id, None)
            self._finished.discard(message.id)
        # What the row says may be newer than the event: an answer that has ended since began all the same.
        if event.data.get("streaming") or message.state == Message.State.STREAMING:
            return self._catch_up(message)
        return None if message.id in self._finished else self._finish(message)

    def _catch_up(self, message: Message) -> StreamEvent | None:
        """An answer begins, or was cut back after a crash."""
        text, have = self._live_text(message), self._lengths.get(message.id, 0)
        self._streaming = message.id
        if len(text) < have or (message.id not in self._lengths and not text):
            self._lengths[message.id] = 0
            have = 0
        return self._text(message.id, text[have:], append=have > 0) if len(text) > have else None

    def _finish(self, message: Message) -> StreamEvent | None:
        """The rest of an answer, or the whole when the reader has none of it or something else."""
        have = self._lengths.get(message.id, 0)
        self._streaming = None
        self._finished.add(message.id)
        self._lengths[message.id] = len(message.text)
        if message.parts or (message.text and not 0 < have <= len(message.text)):
            return self._event(wire.answer_update(message, *self._names))
        if not message.text:
            return None
        rest = message.text[have:]
        return self._event(wire.text_update(*self._names, message.id, rest, append=True, last=True))

    def _tell_piece(self, piece: Piece) -> StreamEvent | None:
        if piece.message_id != self._streaming:
            return None
        have = self._lengths.get(piece.message_id, 0)
        text = piece.text[max(have - piece.offset, 0) :]
        return self._text(piece.message_id, text, append=have > 0) if text and piece.offset <= have else None

    def _text(self, message_id: UUID, text: str, *, append: bool) -> StreamEvent:
        self._lengths[message_id] = self._lengths.get(message_id, 0) + len(text)
        return self._event(wire.text_update(*self._names, message_id, text, append=append, last=False))

    def _event(self, json: Json) -> StreamEvent:
        length = self._lengths.get(self._streaming, 0) if self._streaming else 0
        return StreamEvent(position(self._version, self._streaming if length else None, length), json)

    def _live_text(self, message: Message) -> str:
        live = runtime.current().live.snapshot(message.id)
        return message.text if live is None else live


def _is_over(event: Event, until_waiting: bool) -> bool:
    """Of a status."""
    return wire.is_end(event) or (until_waiting and event.data["state"] == TaskState.INPUT_REQUIRED)
