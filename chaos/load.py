"""People who write, wait for the answer, and write again, whatever happens to the servers; and who count."""

from __future__ import annotations

import asyncio
import json
import random
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from chaos.diary import Diary

ANSWER_SECONDS = 10.0  # as the page: without a word of the server when one is due another connection is tried
ANSWER_SECONDS_AT_MOST = 40.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
AGAIN_SECONDS = 0.3
OVER = ("completed", "failed", "rejected", "canceled")
LARGEST_FRAME = 64 * 1024 * 1024
LOST = (OSError, WebSocketException, TimeoutError)


class Person:
    """One browser with one conversation. Its ports are those of the web processes; it goes to the next when one is gone."""

    def __init__(self, ports: Sequence[int], session_key: str, conversation: str, texts: Sequence[str]) -> None:
        self._ports = list(ports)
        self._key = session_key
        self.conversation = conversation
        self._texts = list(texts)
        self._seq = 0  # the page was loaded when nothing had been said
        self._socket: ClientConnection | None = None
        self._answered = asyncio.Event()
        self._limit = asyncio.timeout(None)  # until something must be heard
        self._patience = ANSWER_SECONDS
        self._tries = 0  # since something was heard on an open connection
        self.open: tuple[str, str] | None = None  # what was sent and is not confirmed
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.shown: list[str] = []  # client ids of messages that the page was shown
        self.states: list[str] = []
        self.turns: list[tuple[float, float]] = []  # when each was sent, and when its answer was over
        self.answered_once = asyncio.Event()
        self.diary = Diary()
        self.stopping = False

    async def live(self) -> None:
        """Until it is told to stop and has its last answer."""
        reading = asyncio.create_task(self._read_for_ever())
        reading.add_done_callback(self._stopped_reading)
        try:
            while not self.stopping:
                self._answered.clear()
                sent = time.monotonic()
                text = self._texts[len(self.turns) % len(self._texts)]
                self.open = (str(uuid4()), text)
                self.diary.note("writes")
                await self._post()
                await self._answered.wait()
                self.turns.append((sent, time.monotonic()))
                self.answered_once.set()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    @property
    def port(self) -> int:
        """Of the web process that it is at, or tries next."""
        return self._ports[0]

    @property
    def waits(self) -> bool:
        return not self._answered.is_set()

    def _stopped_reading(self, reading: asyncio.Task[None]) -> None:
        if not reading.cancelled():  # a fault of this harness, which should not look like one of the product
            traceback.print_exception(reading.exception())

    async def _read_for_ever(self) -> None:
        while True:
            try:
                await self._read(self._ports[0])
            except LOST as lost:
                self.diary.note(f"lost {self._ports[0]}: {type(lost).__name__} {lost}")
            self._ports.append(self._ports.pop(0))
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """As `backoff.js`: twice as long each time, and never the same for everybody."""
        longest = min(FIRST_PAUSE_SECONDS * 2**self._tries, LONGEST_PAUSE_SECONDS)
        self._tries += 1
        return longest * random.uniform(0.5, 1)

    async def _read(self, port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", **self.credentials(port)) as socket:
            self._socket = socket
            self.diary.note(f"connected to {port}")
            try:
                async with asyncio.timeout(None) as self._limit:
                    await self._say(type="conversation.open", id=self.conversation, after=self._seq)
                    await self._post()
                    while True:
                        self._hear(json.loads(await socket.recv()))
            except TimeoutError:
                self._patience = min(2 * self._patience, ANSWER_SECONDS_AT_MOST)
                raise
            finally:
                self._socket = None  # before the farewell, which may take a while

    def _wait_at_most(self, seconds: float | None) -> None:
        with suppress(RuntimeError):  # it is over just now
            self._limit.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def credentials(self, port: int) -> dict[str, Any]:
        return {
            "origin": f"http://127.0.0.1:{port}",
            "additional_headers": {"Cookie": f"sessionid={self._key}"},
            "max_size": LARGEST_FRAME,
            "compression": None,
            "proxy": None,
        }

    async def _post(self) -> None:
        if self.open is not None:
            with suppress(*LOST):
                id, text = self.open
                await self._say(
                    type="message.post", conversation=self.conversation, client_id=id, text=text, attachments=[]
                )

    async def _say(self, **frame: Any) -> None:
        if self._socket is not None:
            if self._limit.when() is None:
                self._wait_at_most(self._patience)
            await self._socket.send(json.dumps(frame))

    def _hear(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        seq = frame.get("seq")
        self.diary.note(kind, frame.get("state", ""))
        self._wait_at_most(None)
        if kind != "session.opened":
            self._patience, self._tries = ANSWER_SECONDS, 0
        if frame.get("conversation", frame.get("id")) == self.conversation and seq and seq > self._seq:
            self._seq = seq
        if kind == "message.saved":
            self._confirmed(frame["client_id"])
        elif kind == "message.created" and frame.get("client_id"):
            self.shown.append(frame["client_id"])
        elif kind == "message.refused":
            self._was_refused(frame)
        elif kind == "task.changed" and frame["state"] in OVER:
            self.states.append(frame["state"])
            self._answered.set()

    def _confirmed(self, client_id: str) -> None:
        if client_id not in self.acknowledged:
            self.acknowledged.append(client_id)
        if self.open is not None and self.open[0] == client_id:
            self.open = None

    def _was_refused(self, frame: dict[str, Any]) -> None:
        self.refused.append(frame["error"])
        asyncio.get_running_loop().call_later(AGAIN_SECONDS, lambda: asyncio.create_task(self._post()))


class Load:
    """So many people at once."""

    def __init__(self, ports: Sequence[int], people: Sequence[tuple[str, str]], texts: Sequence[str]) -> None:
        self.people = [
            Person([*ports[number % len(ports) :], *ports[: number % len(ports)]], key, room, texts)
            for number, (key, room) in enumerate(people)
        ]
        self._jobs: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._jobs = [asyncio.create_task(person.live()) for person in self.people]

    async def warm(self, least: float, most: float) -> None:
        """Until everybody has had an answer: a fault that comes while they still arrive meets nothing."""
        await asyncio.sleep(least)
        with suppress(TimeoutError):
            async with asyncio.timeout(most - least):
                await asyncio.gather(*(person.answered_once.wait() for person in self.people))

    async def stop(self, seconds: float) -> int:
        """Let everybody have the last answer; returns how many waited for it in vain."""
        for person in self.people:
            person.stopping = True
        _done, waiting = await asyncio.wait(self._jobs, timeout=seconds)
        for job in waiting:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        return len(waiting)

    @property
    def acknowledged(self) -> list[str]:
        return [id for person in self.people for id in person.acknowledged]

    def not_shown(self) -> int:
        """Messages that their author's own page was never shown, or more than once."""
        return sum(1 for person in self.people for id in person.acknowledged if person.shown.count(id) != 1)

    def recovered_after(self, moment: float) -> float:
        """Seconds until everybody who was at it then had the answer."""
        ends = [end for person in self.people for sent, end in person.turns if sent <= moment < end]
        return max(ends, default=moment) - moment

    def diaries_of_slowest(self, moment: float, count: int) -> list[str]:
        """What those who had the answer last did and were told until then, in seconds from the fault."""
        slow = [(end, person) for person in self.people for sent, end in person.turns if sent <= moment < end]
        slow += [(time.monotonic(), person) for person in self.people if person.waits]
        slow.sort(key=lambda found: -found[0])
        return [line for end, person in slow[:count] for line in person.diary.lines(moment, end)]
