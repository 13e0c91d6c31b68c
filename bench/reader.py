"""A browser's side of one streamed answer: which piece arrived when."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import uuid4

from bench.schedule import CHARS, HEADER, HEADER_CHARS, PARAGRAPH, PER_SECOND, PIECE, PIECES, body, request, texts
from bench.websocket import Client, connect

STREAMED = b'{"type": "message.streamed"', b'{"type":"message.streamed"'
OVER = ("completed", "failed", "rejected", "canceled")
STEP_SECONDS = 60


class Reader:
    """Opens a socket, looks at a conversation, asks, and notes what comes."""

    client: Client

    def __init__(self, conversation: str = "") -> None:
        self.conversation = conversation
        self.opened = asyncio.Event()  # the socket
        self.watching = asyncio.Event()  # the conversation
        self.forget()

    def forget(self) -> None:
        self.shift = 0
        self.said_at = self.start = self.first_seen = 0.0
        self.asked_at = 0.0
        self.arrivals = [0.0] * PIECES
        self.have = 0  # characters, the header's included
        self.shown_at = 0.0  # when HTML came that may hold the text so far
        self.wrong = 0
        self.last_frame = 0.0
        self.over = asyncio.Event()

    async def enter(self, port: int, session_key: str) -> None:
        """What a browser does before somebody types."""
        await self.connect(port, "/ws", session_key)
        self.client.send(type="conversation.open", id=self.conversation, after=None)
        await asyncio.wait_for(self.watching.wait(), STEP_SECONDS)

    async def connect(self, port: int, path: str, session_key: str = "") -> None:
        self.client = await connect(port, path, self.hear, session_key)
        await asyncio.wait_for(self.opened.wait(), STEP_SECONDS)

    def ask(self, start: float, shift: int) -> None:
        self.shift = shift % PARAGRAPH
        self.asked_at = time.monotonic()
        text = request(start, shift)
        self.client.send(
            type="message.post", conversation=self.conversation, client_id=str(uuid4()), text=text, attachments=[]
        )

    def hear(self, payload: bytes) -> None:
        now = self.last_frame = time.monotonic()
        frame = json.loads(payload)
        if payload.startswith(STREAMED):
            self._streamed(now, frame["offset"], frame["text"])
            return
        kind = frame["type"]
        if kind in ("message.created", "message.changed") and 'data-state="streaming"' in frame["html"]:
            self.shown_at = now
            self._look_for_header(now, frame["html"])
        elif kind == "message.changed" and 'data-author="agent:' in frame["html"]:
            self._finished(now, frame["html"])
        elif kind == "session.opened":
            self.opened.set()
        elif kind == "conversation.opened":
            self.watching.set()
        elif kind == "task.changed" and frame["state"] in OVER:
            self.over.set()

    def _streamed(self, now: float, offset: int, text: str) -> None:
        if not self.start:
            self._look_for_header(now, text)
        if offset > self.have and self.shown_at:  # what is missing was in the message as it was shown
            self._cover(self.have, offset, self.shown_at)
        self.shown_at = 0.0
        end = offset + len(text)
        said, begin = (text, offset) if offset >= HEADER_CHARS else (text[HEADER_CHARS - offset :], HEADER_CHARS)
        if body(self.shift)[begin - HEADER_CHARS : begin - HEADER_CHARS + len(said)] != said:
            self.wrong += 1
        self._cover(offset, end, now)
        self.have = max(self.have, end)
        if self.have >= HEADER_CHARS + CHARS * PIECES:
            self.over.set()

    def _finished(self, now: float, html: str) -> None:
        """The whole answer: the last pieces may come in it alone, the first too, and nothing may be missing."""
        found = HEADER.search(html)
        if not self.asked_at or (found and float(found[1]) < self.asked_at):  # of somebody who asked here before
            return
        self._look_for_header(now, html)
        said = set(PIECE.findall(html))
        self.wrong += sum(1 for text in texts(self.shift) if text.strip() not in said)
        self._cover(0, HEADER_CHARS + CHARS * PIECES, now)

    def _look_for_header(self, now: float, text: str) -> None:
        found = HEADER.search(text)
        if found and not self.start:
            self.said_at, self.start, self.first_seen = float(found[1]), float(found[2]), now

    def _cover(self, begin: int, end: int, now: float) -> None:
        """Pieces whose last character lies in these."""
        first = max(0, (begin - HEADER_CHARS) // CHARS)
        for number in range(first, min(PIECES, (end - HEADER_CHARS) // CHARS)):
            if not self.arrivals[number]:
                self.arrivals[number] = now

    def lateness(self) -> list[float]:
        """Seconds, of the pieces that came. Raises `ValueError` where nothing said when the first was due."""
        if not self.start and any(self.arrivals):
            raise ValueError("pieces came, but not the header with the time of the first")
        start = self.start
        return [seen - start - number / PER_SECOND for number, seen in enumerate(self.arrivals) if seen]

    @property
    def lost(self) -> int:
        return self.arrivals.count(0.0) + self.wrong
