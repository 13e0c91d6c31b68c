"""Two processes' views of what streams and happens, through a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from agents_app.ids import uuid7
from agents_app.models import Event, EventType
from agents_app.runtime.live import LiveText
from agents_app.runtime.relay import Ears, Piece
from agents_app.runtime.relay_redis import RedisRelay

pytestmark = pytest.mark.postgresql


class Process:
    """Its live text and its relay; and a reader, who takes a snapshot and then what follows it."""

    def __init__(self) -> None:
        self.relay = RedisRelay(settings.REDIS_URL)
        self.live = LiveText(0.01, self.relay)
        self.events: list[Event] = []
        self.heard: list[str] = []
        self.texts: dict[UUID, str] = {}
        self.jobs: list[asyncio.Task[None]] = []
        self.live.subscribe(self._read)
        self.relay.on("something.told", self._hear)
        self.relay.begin(
            Ears(self.live.pass_on, self.events.extend, self.live.snapshot),
            lambda work: self.jobs.append(asyncio.get_running_loop().create_task(work)),
        )

    def _hear(self, what: str) -> None:
        self.heard.append(what)

    async def join(self, message: UUID) -> None:
        await self.live.look([message])
        self.texts[message] = self.live.snapshot(message) or ""

    async def _read(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            have = len(self.texts.get(piece.message_id, ""))
            assert piece.offset <= have, "a gap"
            if piece.message_id in self.texts:
                self.texts[piece.message_id] += piece.text[have - piece.offset :]


@pytest.fixture
async def process() -> AsyncIterator[Callable[[], Process]]:
    made: list[Process] = []

    def make() -> Process:
        made.append(Process())
        return made[-1]

    yield make
    for one in made:
        for job in one.jobs:
            job.cancel()
        await asyncio.gather(*one.jobs, return_exceptions=True)
        await one.relay.end()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def listening(writer: Process, reader: Process) -> None:
    """A message from one to the other arrives."""
    count = len(reader.heard)
    async with asyncio.timeout(20):
        while len(reader.heard) == count:
            writer.relay.tell("something.told", what="hello")
            await asyncio.sleep(0.05)


async def test_it_works(process):
    writer, reader = process(), process()
    await listening(writer, reader)
    message = uuid7()
    writer.live.open(uuid7(), message)
    await reader.join(message)
    for word in ("Smør", "rebrød ", "🎂", " done"):
        writer.live.append(message, word)
        await asyncio.sleep(0.02)
    await until(lambda: reader.texts[message] == "Smørrebrød 🎂 done")


async def test_who_comes_in_the_middle_has_the_whole_text(process):
    writer = process()
    message = uuid7()
    writer.live.open(uuid7(), message)
    writer.live.append(message, "Once upon ")
    await writer.live.flush()
    await asyncio.sleep(0.2)
    reader = process()
    await listening(writer, reader)
    await reader.join(message)
    assert reader.texts[message] == "Once upon "
    writer.live.append(message, "a time")
    await until(lambda: reader.texts[message] == "Once upon a time")


async def test_events_come_before_the_pieces_that_follow_them(process):
    writer, reader = process(), process()
    await listening(writer, reader)
    context, message = uuid7(), uuid7()
    order: list[str] = []

    async def note(pieces: list[Piece]) -> None:
        order.extend(piece.text for piece in pieces)

    reader.live.subscribe(note)
    reader.relay._ears = reader.relay._ears._replace(events=lambda events: order.extend(e.type for e in events))
    writer.live.open(context, message)
    event = Event(context_id=context, seq=3, type=EventType.MESSAGE_CREATED, data={}, created_at=timezone.now())
    writer.relay.committed([event])
    writer.live.append(message, "hello")
    await until(lambda: len(order) == 2)
    assert order == [EventType.MESSAGE_CREATED, "hello"]


async def test_who_writes_after_a_crash_is_believed_and_who_wrote_before_is_not(process):
    first, second, reader = process(), process(), process()
    await listening(first, reader)
    await listening(second, reader)
    context, message = uuid7(), uuid7()
    first.live.open(context, message)
    first.live.append(message, "saved, lost")
    await until(lambda: reader.live.snapshot(message) == "saved, lost")
    second.live.open(context, message, "saved, ")
    await until(lambda: reader.live.snapshot(message) == "saved, ")
    first.live.append(message, " still here")
    second.live.append(message, "said anew")
    await until(lambda: reader.live.snapshot(message) == "saved, said anew")
    await listening(first, reader)
    assert reader.live.snapshot(message) == "saved, said anew"


async def test_a_message_that_ended_is_forgotten(process):
    writer, reader = process(), process()
    await listening(writer, reader)
    message = uuid7()
    writer.live.open(uuid7(), message, "text")
    await until(lambda: reader.live.snapshot(message) == "text")
    writer.live.close(message)
    await until(lambda: reader.live.snapshot(message) is None)
    await reader.live.look([message])
    assert reader.live.snapshot(message) is None
