"""People who write, wait for the answer, and write again, whatever happens to the servers; and who count."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

SILENT_SECONDS = 5.0  # without a word of the server when one is due: then another connection is tried
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
        self.open: tuple[str, str] | None = None  # what was sent and is not confirmed
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.shown: list[str] = []  # client ids of messages that the page was shown
        self.states: list[str] = []
        self.turns: list[tuple[float, float]] = []  # when each was sent, and when its answer was over
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
                await self._post()
                await self._answered.wait()
                self.turns.append((sent, time.monotonic()))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _stopped_reading(self, reading: asyncio.Task[None]) -> None:
        if not reading.cancelled():  # a fault of this harness, which should not look like one of the product
            traceback.print_exception(reading.exception())

    async def _read_for_ever(self) -> None:
        while True:
            with suppress(*LOST):
                await self._read(self._ports[0])
            self._ports.append(self._ports.pop(0))
            self._socket = None
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self, port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/ws", **self.credentials(port)) as socket:
            self._socket = socket
            await self._say(type="conversation.open", id=self.conversation, after=self._seq)
            await self._post()
            while True:
                async with asyncio.timeout(SILENT_SECONDS):  # somebody writes or answers all the time
                    self._hear(json.loads(await socket.recv()))

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
            await self._socket.send(json.dumps(frame))

    def _hear(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        seq = frame.get("seq")
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
            Person(ports[number % len(ports) :] + ports[: number % len(ports)], key, room, texts)
            for number, (key, room) in enumerate(people)
        ]
        self._jobs: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._jobs = [asyncio.create_task(person.live()) for person in self.people]

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
