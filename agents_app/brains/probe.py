"""Which models a server on the network offers. Asked at most once a minute, and never waited for long."""

from __future__ import annotations

import asyncio
import functools
import time

import httpx

PROBE_SECONDS = 0.5
REMEMBERED_SECONDS = 60


async def first_model(url: str, key: str = "") -> str | None:
    """The first model of an OpenAI-compatible server at `url`, such as `http://127.0.0.1:11434/v1`."""
    return await asyncio.to_thread(find_first_model, url, key)


def find_first_model(url: str, key: str = "") -> str | None:
    return _find(url, key, int(time.monotonic() // REMEMBERED_SECONDS))


def forget() -> None:
    """Ask anew next time."""
    _find.cache_clear()


@functools.lru_cache(maxsize=8)
def _find(url: str, key: str, minute: int) -> str | None:
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/models",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=PROBE_SECONDS,
            trust_env=False,  # a proxy knows nothing of this machine's own ports
        )
        models = answer.raise_for_status().json()["data"] or []
        names = [str(model["id"]) for model in models]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return next((name for name in names if "embed" not in name), None)
