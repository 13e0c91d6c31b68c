"""A cache in Redis that may be away: then nothing is known and everything may be claimed, and nobody sees an error."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow

AGAIN_SECONDS = 1.0  # a Redis that hangs costs one request its time limit, not each


class _Client(RedisCacheClient):
    away_until = 0.0

    def _or(self, default: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < _Client.away_until:
            return default
        try:
            return getattr(super(), name)(*args, **kwargs)
        except (Unreachable, TooSlow):  # the relay has a line for it
            _Client.away_until = time.monotonic() + AGAIN_SECONDS
            return default

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(True, "add", *args, **kwargs)

    def get(self, key: Any, default: Any) -> Any:
        return self._or(default, "get", key, default)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(None, "set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, "touch", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, "delete", *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._or(False, "has_key", *args, **kwargs)


class PatientRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
