"""Counts HTTP requests. An ASGI application around all others, because A2A's calls never reach Django."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Histogram

from metrics import registry

Application = Callable[[Any, Any, Any], Awaitable[None]]

AREAS = {"a2a": "a2a", ".well-known": "a2a", "api": "api", "admin": "admin", "static": "static", "docs": "docs"}
AREAS |= dict.fromkeys(("healthz", "readyz", "metrics"), "health")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def counted(application: Application) -> Application:
    return CountedHttp(application) if settings.METRICS else application


class CountedHttp:
    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun = time.monotonic()

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                requests, seconds = _children(area_of(scope["path"]), scope["method"], message["status"])
                requests.inc()
                seconds.observe(time.monotonic() - begun)
            await send(message)

        await self._application(scope, receive, counted)


def area_of(path: str) -> str:
    """Never the path itself: there are as many as somebody likes to ask for."""
    return AREAS.get(path[1:].partition("/")[0], "pages")


@lru_cache(maxsize=1024)
def _children(area: str, method: str, status: int) -> tuple[Counter, Histogram]:
    known = method if method in METHODS else "OTHER"
    return registry.REQUESTS.labels(area, known, status), registry.REQUEST_SECONDS.labels(area)
