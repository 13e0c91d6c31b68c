"""The HTTP client whose connections end only where they may; see the package's docstring."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from functools import cache

import httpcore
import httpx
from django.conf import settings

from agents_app.outgoing.addresses import checked_url, resolve
from agents_app.outgoing.body import LimitedBody
from agents_app.outgoing.errors import readable_errors

USER_AGENT = "tkr-agent-chat (opens what people and agents of a chat server ask for)"
MAX_CONNECTIONS = 20
MAX_ADDRESSES_TRIED = 4


def open_client(
    *,
    max_bytes: float | None = None,
    seconds: float | None = None,
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client to use in `async with`. What is not given comes from the settings.

    `max_bytes` bounds each answer's body (`math.inf` for an endless stream of events), `seconds` each wait for the
    other side. `tls`: with a certificate of our own, see `client_certificate.py`. It raises `OutgoingError`s only.
    """
    return httpx.AsyncClient(
        transport=CheckedTransport(settings.OUTGOING_MAX_BYTES if max_bytes is None else max_bytes, tls),
        timeout=settings.OUTGOING_TIMEOUT_SECONDS if seconds is None else seconds,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **(headers or {})},
        follow_redirects=False,
        trust_env=False,
    )


class CheckedTransport(httpx.AsyncBaseTransport):
    """For libraries that build their own `httpx.AsyncClient`; give them `trust_env=False` as well."""

    def __init__(self, max_bytes: float, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: with a certificate of our own, see `client_certificate.py`."""
        self._max_bytes = max_bytes
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or tls_context(), network_backend=CheckedNetwork(), max_connections=MAX_CONNECTIONS
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = checked_url(request.url).host
        with readable_errors(host):
            answer = await self._pool.handle_async_request(_as_sent(request))
        try:
            body = LimitedBody(answer, host, self._max_bytes)
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(
            answer.status, headers=_unpacked(answer.headers), stream=body, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves and checks where the socket is opened, so no later look-up can lead to another machine."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = (await resolve(host, port))[:MAX_ADDRESSES_TRIED]
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        failure: Exception | None = None
        for address in addresses:
            try:
                # A dead IPv6 route must not use up the time of the IPv4 address behind it.
                share = timeout and timeout / len(addresses)
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError


@cache
def tls_context() -> ssl.SSLContext:
    """Made once: reading the certificate authorities takes 25 ms."""
    return new_tls_context()


def new_tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _as_sent(request: httpx.Request) -> httpcore.Request:
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _unpacked(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of the body as `LimitedBody` passes it on."""
    return [(name, value) for name, value in headers if name.lower() not in (b"content-encoding", b"content-length")]
