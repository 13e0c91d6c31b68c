"""Who is tested: an agent that was added, one of our own, or whoever is at an address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
from django.conf import settings
from django.utils import timezone

from accounts.actions.api_tokens import make_token, revoke_token
from accounts.models import User
from agents_app import outgoing
from agents_app.a2a.certificate.calls import Target
from agents_app.a2a.certificate.passing_by import MAX_ANSWER_BYTES
from agents_app.a2a.client.card_file import Interface, choose_interface, find_card, keep_binding, parse_card
from agents_app.a2a.client.credentials import Shown, show, unseal
from agents_app.models import RemoteAgent
from agents_app.outgoing.client_certificate import ClientCertificate
from agents_app.threads import in_thread

CALL_SECONDS = 120.0
TOKEN_LIFE = timedelta(minutes=20)
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where a server listens, not where it is called)


def remote_target(remote: RemoteAgent) -> Target:
    """Raises `agents_app.vault.Unreadable` and `BadCard`."""
    secrets = unseal(remote)
    shown = show(parse_card(remote.card), secrets)
    interface = Interface(remote.interface_url, remote.binding, remote.protocol_version, remote.tenant)
    return Target(
        card_url=remote.card_url,
        interface=interface,
        shown=shown,
        open_client=partial(_open_client, shown.certificate),
        secrets=tuple(secrets.values()),
        accepted_sha256=remote.card_sha256,
    )


async def target_at(url: str, token: str = "", binding: str = "") -> Target:
    """Whoever is at an address; nobody has accepted a card of theirs. Raises `RemoteError`."""
    found = await find_card(url)
    card = parse_card(found.card)
    keep_binding(card, binding)
    interface = choose_interface(card)
    return Target(found.url, interface, _bearer(token), _open_client, (token,) if token else ())


@asynccontextmanager
async def own_target(agent_id: str, user: User) -> AsyncIterator[Target]:
    """An agent of this server, called from outside: over the loopback address, with a token for this test alone."""
    base = own_base()
    name = f"The test of {agent_id}"
    row, token = await in_thread(make_token, user, name, timezone.now() + TOKEN_LIFE, agents=[agent_id])
    try:
        card_url = f"{base}/a2a/{agent_id}/.well-known/agent-card.json"
        interface = Interface(f"{base}/a2a/{agent_id}/", "JSONRPC", "1.0", "")
        yield Target(card_url, interface, _bearer(token), partial(_open_own_client, base), (token,))
    finally:
        await in_thread(revoke_token, row)


def own_base() -> str:
    host = EVERYWHERE.get(settings.HOST, settings.HOST)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"


def _bearer(token: str) -> Shown:
    return Shown({"Authorization": f"Bearer {token}"} if token else {})


def _open_client(certificate: ClientCertificate | None = None) -> httpx.AsyncClient:
    tls = certificate.tls_context() if certificate else None
    return outgoing.open_client(max_bytes=MAX_ANSWER_BYTES, seconds=CALL_SECONDS, tls=tls)


def _open_own_client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=_OwnTransport(base), timeout=CALL_SECONDS, trust_env=False)


class _OwnTransport(httpx.AsyncHTTPTransport):
    """Goes to this very server and nowhere else, so no list of addresses has to allow it."""

    def __init__(self, base: str) -> None:
        super().__init__(trust_env=False)
        self._base = httpx.URL(base)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (request.url.host, request.url.port) != (self._base.host, self._base.port):
            raise outgoing.ForbiddenAddress(f"{request.url.host} is not this server.")
        return await super().handle_async_request(request)
