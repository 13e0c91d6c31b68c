"""A writer in one process, a reader in another, and whatever can go wrong between them, in any order: news are lost,
come twice or late, the reader reconnects, the writer dies and another one cuts the text back. In the end the reader has
exactly the writer's text, and each event once, in its order."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, strategies
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agents_app.ids import uuid7
from agents_app.models import Event, EventType
from agents_app.runtime import relay_wire
from agents_app.runtime.live import LiveText
from agents_app.runtime.relay import Ears, Piece
from agents_app.runtime.relay_redis import RedisRelay

pytestmark = pytest.mark.postgresql

CREATED, CUT, ENDED = "created", "cut", "ended"


class Held(RedisRelay):
    """Says nothing by itself: the test decides when, and what becomes of it."""

    def begin(self, ears: Ears, beside: Any) -> None:
        self._loop, self._ears = asyncio.get_running_loop(), ears


class Writer:
    """One run of the task: after a crash there is another one, with what was saved."""

    def __init__(self, message: UUID, text: str) -> None:
        self.relay = Held(settings.REDIS_URL)
        self.live = LiveText(0, self.relay)
        self.relay.begin(Ears(self.live.pass_on, lambda events: None, self.live.snapshot), None)
        self.context = self.message = message
        self.live.open(message, message, text)

    async def say(self, text: str) -> None:
        self.live.append(self.message, text)
        while self.live.snapshot(self.message) != self.live.text(self.message):
            await asyncio.sleep(0)


class Reader:
    """As a browser's page is: it knows events by their number, reads from the journal what it missed, and pieces join at
    their offset."""

    def __init__(self, journal: list[str], texts: list[str]) -> None:
        self.relay = Held(settings.REDIS_URL)
        self.live = LiveText(0, self.relay)
        self.relay.begin(Ears(self._pieces, self._events, self.live.snapshot), None)
        self._journal, self._texts = journal, texts
        self.seq = 0
        self.events: list[str] = []
        self.text: str | None = None

    async def connect(self, message: UUID) -> None:
        """Subscribed already: then everything up to now, then what streams."""
        self._catch_up()
        await self.relay.look([message])
        if self.text is not None and self.events[-1:] != [ENDED]:
            self.text = self.relay.snapshot(message) or self._texts[-1]

    def _events(self, events: list[Event]) -> None:
        for event in events:
            if event.seq == self.seq + 1:
                self._take(self._journal[self.seq])
            elif event.seq > self.seq:
                self._catch_up()

    def _catch_up(self) -> None:
        while self.seq < len(self._journal):
            self._take(self._journal[self.seq])

    def _take(self, what: str) -> None:
        """A frame tells the present: the message as it is saved and streams now."""
        self.seq += 1
        self.events.append(what)
        message = UUID(int=1)
        streamed = self.relay.snapshot(message) if what != ENDED else None
        self.text = streamed if streamed is not None and what == CREATED else self._texts[-1]

    async def _pieces(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if self.text is not None and piece.offset <= len(self.text):
                self.text += piece.text[len(self.text) - piece.offset :]


class AnyOrder(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.message = UUID(int=1)
        self.journal: list[str] = []
        self.texts = [""]  # as they were saved
        self.on_their_way: list[bytes] = []
        self.over = False
        self._do(self._begin())

    async def _begin(self) -> None:
        self.writer = Writer(self.message, "")
        await self.writer.relay._redis.flushdb()
        self.reader = Reader(self.journal, self.texts)
        self._commit(CREATED)
        await self._publish()

    @precondition(lambda self: not self.over)
    @rule(text=strategies.text(min_size=1, max_size=5))
    def say(self, text: str) -> None:
        text = text.encode(errors="replace").decode()
        self._do(self.writer.say(text))
        self._do(self._publish())

    @precondition(lambda self: not self.over)
    @rule()
    def save(self) -> None:
        self.texts[-1] = self.writer.live.text(self.message)

    @precondition(lambda self: not self.over)
    @rule(keep=strategies.integers(0, 5))
    def crash(self, keep: int) -> None:
        """What was not saved is gone, and the text is cut to what its finished steps cover."""
        self._do(self._crash(keep))

    async def _crash(self, keep: int) -> None:
        self.texts[-1] = self.texts[-1][:keep]
        self.writer = Writer(self.message, self.texts[-1])
        self._commit(CUT)
        await self._publish()

    @precondition(lambda self: self.on_their_way)
    @rule(which=strategies.integers(0, 3))
    def arrive(self, which: int) -> None:
        self._do(self._deliver(self.on_their_way.pop(min(which, len(self.on_their_way) - 1))))

    @precondition(lambda self: self.on_their_way)
    @rule()
    def arrive_twice(self) -> None:
        self._do(self._deliver(self.on_their_way[0]))

    @precondition(lambda self: self.on_their_way)
    @rule()
    def get_lost(self) -> None:
        self.on_their_way.pop(0)

    @rule()
    def reconnect(self) -> None:
        """To a process that has heard nothing yet."""
        self._do(self._reconnect())

    async def _reconnect(self) -> None:
        seq, events, text = self.reader.seq, self.reader.events, self.reader.text
        await self.reader.relay._redis.aclose()
        self.reader = Reader(self.journal, self.texts)
        self.reader.seq, self.reader.events, self.reader.text = seq, events, text
        await self.reader.connect(self.message)

    @invariant()
    def what_was_heard_was_said(self) -> None:
        if not hasattr(self, "reader"):
            return
        whole = self.writer.live.text(self.message)
        mirror = self.reader.relay._mirrors._mirrors.get(self.message)
        if mirror is not None and mirror.run == self.writer.relay._runs[self.message]:
            assert whole.startswith("".join(mirror.said))
            if self.reader.seq == len(self.journal):
                assert whole.startswith(self.reader.text or "")

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            self._do(self._end())
        finally:
            self.runner.close()

    async def _end(self) -> None:
        await self._streams_on()
        self.texts[-1] = whole = self.writer.live.text(self.message)
        self._commit(ENDED)
        await self._publish()
        while self.on_their_way:
            await self._deliver(self.on_their_way.pop(0))
        self.reader._catch_up()  # as the look at the journal does that every process takes besides
        assert self.reader.events == self.journal
        assert self.reader.text == whole
        for relay in (self.writer.relay, self.reader.relay):
            await relay._redis.aclose()

    async def _streams_on(self) -> None:
        """Whatever was before: who has just connected and then loses nothing has the text as it is said."""
        self.on_their_way.clear()
        await self._reconnect()
        await self.writer.say("and so on")
        await self._publish()
        while self.on_their_way:
            await self._deliver(self.on_their_way.pop(0))
        assert self.reader.text == self.writer.live.text(self.message)

    def _commit(self, what: str) -> None:
        self.journal.append(what)
        seq = len(self.journal)
        event = Event(
            context_id=self.message, seq=seq, type=EventType.MESSAGE_CHANGED, data={}, created_at=timezone.now()
        )
        event.id = uuid7()
        self.writer.relay.committed([event])

    async def _publish(self) -> None:
        """Into the buffers in Redis at once; the news of it are on their way."""
        items, self.writer.relay._unsaid = self.writer.relay._unsaid, []
        pipe = self.writer.relay._redis.pipeline(transaction=False)
        self.writer.relay._write_buffers(pipe, items)
        await pipe.execute()
        self.on_their_way.append(relay_wire.pack(self.writer.relay._name, items))

    async def _deliver(self, payload: bytes) -> None:
        await self.reader.relay._take(relay_wire.unpack(self.reader.relay._name, payload))

    def _do(self, work: Any) -> Any:
        return self.runner.run(work)


def test_it_works() -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=hypothesis_settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
