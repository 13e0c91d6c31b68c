"""How much one caller may ask for. Over the limit is a clear refusal that says when to come again, never a hang."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from redis import RedisError
from redis.asyncio import Redis

from agents_app.a2a.errors import TooMany

WINDOW_SECONDS = 60
REDIS_SECONDS = 0.25  # a slow Redis must not slow every call
RETRY_STREAMS_SECONDS = 5


class Rates:
    """Calls of each caller in this minute: in this process, or in Redis for all processes together."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: Counter[str] = Counter()
        self._redis: Any = None

    async def count(self, *keys: str) -> None:
        """Raises `TooMany` when one of the keys has had its calls."""
        if not settings.A2A_RATE_PER_MINUTE:
            return
        now = time.time()
        window = int(now // WINDOW_SECONDS)
        counts = await self._in_redis(window, keys) if settings.REDIS_URL else self._here(window, keys)
        if max(counts) > settings.A2A_RATE_PER_MINUTE:
            raise TooMany(
                f"At most {settings.A2A_RATE_PER_MINUTE:,} calls a minute.", (window + 1) * WINDOW_SECONDS - now
            )

    def _here(self, window: int, keys: tuple[str, ...]) -> list[int]:
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts.update(keys)
        return [self._counts[key] for key in keys]

    async def _in_redis(self, window: int, keys: tuple[str, ...]) -> list[int]:
        """Without Redis everybody is counted here: a limit that is too generous for a while, not an outage."""
        if self._redis is None:
            self._redis = Redis.from_url(
                settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
            )
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    name = f"tkr_chat:a2a:{window}:{key}"
                    pipeline.incr(name).expire(name, 2 * WINDOW_SECONDS)
                return (await pipeline.execute())[::2]
        except (RedisError, OSError):
            return self._here(window, keys)


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
