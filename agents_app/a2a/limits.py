"""How much one caller may ask for. Over the limit is a clear refusal that says when to come again, never a hang."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from agents_app.a2a.errors import TooMany
from agents_app.rates import RateExceeded, Rates

RETRY_STREAMS_SECONDS = 5


class CallRates:
    """Calls of each caller in this minute."""

    def __init__(self) -> None:
        self._rates = Rates("a2a")

    async def count(self, key: str) -> None:
        """Raises `TooMany`."""
        try:
            await self._rates.count(settings.A2A_RATE_PER_MINUTE, key)
        except RateExceeded as exceeded:
            raise TooMany(f"At most {exceeded.limit:,} calls a minute.", exceeded.retry_after) from None


class OpenStreams:
    """Streams of each caller that are open in this process."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, key: str) -> Iterator[None]:
        """Raises `TooMany`."""
        if self._open[key] >= settings.A2A_MAX_STREAMS:
            raise TooMany(f"At most {settings.A2A_MAX_STREAMS:,} open streams a caller.", RETRY_STREAMS_SECONDS)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
