"""One try to deliver: the body, the headers, the answer."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any

import httpx
from django.conf import settings
from django.utils import timezone

from agents_app import vault
from agents_app.a2a.legacy.tasks import legacy_task
from agents_app.a2a.loading import load_event_json, load_view
from agents_app.a2a.push.deliveries import find_event, is_told_later
from agents_app.a2a.push.targets import check_target
from agents_app.a2a.wire import task_json
from agents_app.models import PushAttempt, PushConfig, PushDelivery
from agents_app.outgoing import OutgoingError, open_client
from agents_app.threads import in_thread

A2A_VERSION = "1.0"
CONTENT_TYPE = "application/a2a+json"
READ_BYTES = 64 * 1024  # of an answer nobody needs; read only so that the connection can be used again
READ_SECONDS = 1


def open_lane() -> httpx.AsyncClient:
    """The client of one configuration, for as long as something waits for it: its address is looked up anew each time."""
    # Not compressed and of any size: whatever is wrong with the body, its status was an answer.
    headers = {"Accept-Encoding": "identity"}
    return open_client(max_bytes=math.inf, seconds=settings.A2A_PUSH_TIMEOUT_SECONDS, headers=headers)


async def load_body(delivery: PushDelivery) -> dict[str, Any] | None:
    """A StreamResponse, or for receivers of 0.3 the whole Task as it is now; None: there is nothing to tell."""
    event = await in_thread(find_event, delivery)
    if event is None:
        return None
    body = await load_event_json(event)
    told_later = body is not None and await in_thread(is_told_later, event)
    if body is None or told_later:
        return None
    return await in_thread(_legacy_task, delivery) if delivery.config.legacy else body


def _legacy_task(delivery: PushDelivery) -> dict[str, Any] | None:
    view = load_view(delivery.config.task_id)
    return legacy_task(task_json(view)) if view else None


async def post(client: httpx.AsyncClient, delivery: PushDelivery, body: dict[str, Any]) -> PushAttempt:
    """Try once. Never raises for what the receiver does."""
    attempt = PushAttempt(delivery=delivery, at=timezone.now())
    begun = time.monotonic()
    try:
        async with asyncio.timeout(settings.A2A_PUSH_TIMEOUT_SECONDS):
            attempt.status = await _status(client, delivery.config, body)
    except TimeoutError:
        attempt.error = f"No answer within {settings.A2A_PUSH_TIMEOUT_SECONDS:g} seconds."
    except (OutgoingError, vault.Unreadable) as error:
        attempt.error = str(error)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # httpx looks at a redirect, though it need not follow it
        attempt.error = "The answer cannot be read."
    attempt.milliseconds = round((time.monotonic() - begun) * 1000)
    return attempt


async def _status(client: httpx.AsyncClient, config: PushConfig, body: dict[str, Any]) -> int:
    if config.url.lower().startswith("http:"):  # a name that was allowed may have become somebody else's
        await check_target(config.url)
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    async with client.stream("POST", config.url, content=content, headers=_headers(config)) as answer:
        await _skim(answer)
        return answer.status_code


def _headers(config: PushConfig) -> dict[str, str]:
    if config.legacy:
        headers = {"Content-Type": "application/json"}
    else:
        headers = {"Content-Type": CONTENT_TYPE, "A2A-Version": A2A_VERSION}
    if config.token:
        headers["X-A2A-Notification-Token"] = vault.decrypt(config.token)
    if config.scheme:
        credentials = vault.decrypt(config.credentials) if config.credentials else ""
        headers["Authorization"] = f"{config.scheme} {credentials}".strip()
    return headers


async def _skim(answer: httpx.Response) -> None:
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for piece in answer.aiter_raw():
                size += len(piece)
                if size > READ_BYTES:
                    return
    except (OutgoingError, TimeoutError):
        pass
