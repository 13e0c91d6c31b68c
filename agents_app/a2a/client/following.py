"""Follows a task at a remote agent to its end, over broken streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from a2a.types.a2a_pb2 import StreamResponse

from agents_app.a2a.client.errors import Declined, Unavailable
from agents_app.a2a.client.line import Line
from agents_app.models import RemoteTask

MAX_SUBSCRIPTIONS = 3  # that break in a row before it is polled instead
MAX_BREAKS = 4
STEADY_SECONDS = 20.0  # a stream that held so long does not count as broken
FIRST_PAUSE_SECONDS = 0.2
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 10.0


class Following:
    """The reader stops reading at the end of the task; a stream that ends before has broken."""

    def __init__(self, line: Line, row: RemoteTask, *, steady: bool) -> None:
        """`steady`: a new subscription begins with the whole task, as v1.0 says. v0.3 does not, so it is polled."""
        self._line = line
        self._row = row
        self._steady = steady
        self._breaks = 0
        self.was_taken_up = False  # chunks were heard behind the whole task: some servers send one that it holds again

    async def events(self, first: AsyncGenerator[StreamResponse, None]) -> AsyncGenerator[StreamResponse, None]:
        """Raises `Unavailable` when it does not come back, or is gone before it has named the task."""
        stream = first
        while True:
            began = time.monotonic()
            broken: Unavailable | None = None
            try:
                async with aclosing(stream):
                    async for event in stream:
                        yield event
            except Unavailable as failure:
                broken = failure
            if not self._row.remote_task_id:
                raise broken or Unavailable("The connection broke off before there was an answer.")
            self._breaks = 1 if time.monotonic() - began > STEADY_SECONDS else self._breaks + 1
            if broken and self._breaks > MAX_BREAKS:
                raise broken
            await asyncio.sleep(0 if stream is first and not broken else FIRST_PAUSE_SECONDS * 2**self._breaks)
            stream = self._again()

    def _again(self) -> AsyncGenerator[StreamResponse, None]:
        return self._subscribe() if self._steady and self._breaks <= MAX_SUBSCRIPTIONS else self._poll()

    async def _subscribe(self) -> AsyncGenerator[StreamResponse, None]:
        try:
            whole = False
            async with aclosing(self._line.subscribe(self._row.remote_task_id)) as stream:
                async for event in stream:
                    whole = whole or event.HasField("task")
                    if not whole:  # what came before this event would be missing
                        break
                    self.was_taken_up = True
                    yield event
        except Declined:  # nothing to subscribe to: it is over, or it does not offer that
            whole = False
        if not whole:
            async for event in self._poll():
                yield event

    async def _poll(self) -> AsyncGenerator[StreamResponse, None]:
        """For ever; what has not changed takes ever longer to be asked for again."""
        pause, seen = FIRST_PAUSE_SECONDS, b""
        while True:
            await asyncio.sleep(pause)
            task = await self._line.get_task(self._row.remote_task_id)
            now = task.SerializeToString(deterministic=True)
            pause = FIRST_POLL_SECONDS if now != seen else min(pause * 1.5, LONGEST_POLL_SECONDS)
            seen = now
            yield StreamResponse(task=task)
