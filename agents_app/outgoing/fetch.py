"""`fetch`: one page or API answer, within all limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
from django.conf import settings

from agents_app.outgoing.addresses import checked_url
from agents_app.outgoing.client import open_client
from agents_app.outgoing.errors import BadAnswer, TooSlow
from agents_app.outgoing.redirects import next_url

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    url: str  # where the redirects ended
    status: int
    content_type: str  # as sent, such as "text/html; charset=utf-8"; may be empty
    body: bytes


async def fetch(url: str, *, max_bytes: float | None = None, accept: str = "*/*") -> Fetched:
    """GET the address; follow redirects inside its site. Raises `OutgoingError`; any HTTP status is an answer.

    The whole of it, redirects included, may take `settings.OUTGOING_TIMEOUT_SECONDS`.
    """
    start = checked_url(url)
    seconds = settings.OUTGOING_TIMEOUT_SECONDS
    try:
        async with asyncio.timeout(seconds), open_client(max_bytes=max_bytes, headers={"Accept": accept}) as client:
            return await _follow(client, start)
    except TimeoutError:
        raise TooSlow(f"{start.host} took longer than {seconds:g} seconds.") from None


async def _follow(client: httpx.AsyncClient, url: httpx.URL) -> Fetched:
    for _ in range(MAX_REDIRECTS + 1):
        try:
            async with client.stream("GET", url) as answer:
                if not answer.has_redirect_location:
                    content_type = answer.headers.get("content-type", "")
                    return Fetched(str(url), answer.status_code, content_type, await answer.aread())
                url = next_url(url, answer.headers["location"])
        except (httpx.InvalidURL, httpx.RemoteProtocolError, ValueError):  # httpx looks at the redirect before we do
            raise BadAnswer(f"{url.host} sent me on to an address that cannot be read.") from None
    raise BadAnswer(f"{url.host} sent me on more than {MAX_REDIRECTS} times.")
