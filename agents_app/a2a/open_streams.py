"""The open streams of this process: how many a caller has, and that they end when the token they were opened with does."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError

from agents_app.a2a.caller import Caller, find_lost
from agents_app.a2a.errors import TooMany, Unauthenticated
from agents_app.a2a.streams import wake_readers
from agents_app.threads import in_thread

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
LOOK_SECONDS = 0.6  # between looks at the tokens: whatever process took one away, its streams end within about a second


class OpenStream:
    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.is_lost = False

    def check(self) -> None:
        """Before anything more is told. Raises `Unauthenticated`."""
        if self.is_lost:
            raise Unauthenticated("The token of this stream was revoked or changed, or has expired.")


class OpenStreams:
    def __init__(self) -> None:
        self._open: defaultdict[str, set[OpenStream]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def one_more(self, caller: Caller) -> Iterator[OpenStream]:
        """Raises `TooMany`."""
        streams = self._open[caller.key]
        if len(streams) >= settings.A2A_MAX_STREAMS:
            raise TooMany(f"At most {settings.A2A_MAX_STREAMS:,} open streams a caller.", RETRY_SECONDS)
        stream = OpenStream(caller)
        streams.add(stream)
        if caller.token_id and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look())
        try:
            yield stream
        finally:
            streams.discard(stream)
            if not streams:
                self._open.pop(caller.key, None)

    async def _look(self) -> None:
        """As long as there is a stream with a token."""
        while self._with_token():
            await asyncio.sleep(LOOK_SECONDS)
            try:
                lost = await in_thread(find_lost, {stream.caller for stream in self._with_token()})
            except DatabaseError:
                logger.warning("Tokens of open streams could not be looked up.", extra={"action": "a2a.tokens_unknown"})
                continue
            for stream in self._with_token() if lost else ():
                stream.is_lost = stream.is_lost or stream.caller in lost
            if lost:
                wake_readers()

    def _with_token(self) -> list[OpenStream]:
        return [stream for streams in self._open.values() for stream in streams if stream.caller.token_id]
