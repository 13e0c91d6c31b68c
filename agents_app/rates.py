"""How often somebody may do something in a minute: counted in this process, or in Redis for all processes together."""

from __future__ import annotations

import asyncio
from collections import Counter
from time import time
from typing import Any

from django.conf import settings
from redis import RedisError
from redis.asyncio import Redis

WINDOW_SECONDS = 60
REDIS_SECONDS = 0.25  # a slow Redis must not slow every call


class RateExceeded(Exception):
    """The text says the limit; `retry_after` in how many seconds there is room again."""

    def __init__(self, limit: int, retry_after: float) -> None:
        super().__init__(f"At most {limit:,} a minute. Try again in {max(1, round(retry_after))} seconds.")
        self.limit = limit
        self.retry_after = retry_after


class Rates:
    """Counts of one thing, such as the calls of a surface. `name` keeps it apart from others in Redis."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._window = 0
        self._counts: Counter[str] = Counter()
        self._redis: tuple[asyncio.AbstractEventLoop, Any] | None = None

    async def count(self, limit: int, *keys: str) -> None:
        """Raises `RateExceeded` when one of the keys has had its `limit`; 0: there is none."""
        if not limit:
            return
        now = time()
        window = int(now // WINDOW_SECONDS)
        counts = await self._in_redis(window, keys) if settings.REDIS_URL else self._here(window, keys)
        if max(counts) > limit:
            raise RateExceeded(limit, (window + 1) * WINDOW_SECONDS - now)

    def _here(self, window: int, keys: tuple[str, ...]) -> list[int]:
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts.update(keys)
        return [self._counts[key] for key in keys]

    async def _in_redis(self, window: int, keys: tuple[str, ...]) -> list[int]:
        """Without Redis everybody is counted here: a limit that is too generous for a while, not an outage."""
        try:
            async with self._client().pipeline(transaction=False) as pipeline:
                for key in keys:
                    name = f"tkr_chat:{self._name}:{window}:{key}"
                    pipeline.incr(name).expire(name, 2 * WINDOW_SECONDS)
                return (await pipeline.execute())[::2]
        except (RedisError, OSError):
            return self._here(window, keys)

    def _client(self) -> Any:
        """Its connections belong to the loop that opened them."""
        loop = asyncio.get_running_loop()
        if self._redis is None or self._redis[0] is not loop:
            client = Redis.from_url(
                settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
            )
            self._redis = loop, client
        return self._redis[1]
