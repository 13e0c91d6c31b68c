"""The test of our own agents: everything must be green, and of what was not always so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.db import connections

from accounts.actions.api_tokens import make_token
from accounts.models import ApiToken
from agents_app.a2a.certificate import desk, shelf, targets
from agents_app.a2a.certificate.calls import Target
from agents_app.a2a.certificate.examination import examine
from agents_app.a2a.certificate.tests.conftest import Findings, examined
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.credentials import Shown
from agents_app.a2a.grpc_server import make_server
from agents_app.a2a.tests.edge.conftest import _agents, server
from agents_app.actions.agents import register_agents
from agents_app.actions.signing_keys import make_signing_key
from agents_app.models import Agent, OwnCertificate
from agents_app.threads import in_thread

__all__ = ["_agents", "server"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def signed(transactional_db: None) -> None:
    make_signing_key()


@pytest.fixture
def ours(server, settings) -> str:
    settings.PORT = httpx.URL(server).port
    settings.PUBLIC_URL = server
    return server


@pytest.fixture
async def port(transactional_db: None) -> AsyncIterator[int]:
    """Of gRPC."""
    server, port = make_server("127.0.0.1", 0)
    await server.start()
    yield port
    await server.stop(1)


async def examined_over(ours: str, interface: Interface, token: str = "") -> Findings:
    agent = {"x-a2a-agent": "clerk"} if interface.binding == "GRPC" and not interface.tenant else {}
    shown = Shown({**agent, **({"Authorization": f"Bearer {token}"} if token else {})})
    legacy = "" if interface.version == "1.0" else "v0.3/"
    card_url = f"{ours}/a2a/clerk/{legacy}.well-known/agent-card.json"
    target = Target(card_url, interface, shown, targets._open_client, (token,) if token else ())
    return Findings({finding.id: finding for finding in await examine(target)})


async def test_it_works(signed, ours):
    found = await examined(f"{ours}/a2a/clerk/")
    assert found.all("red") == [] and found.all("amber") == []


async def test_over_grpc_everything_is_green_as_well(signed, ours, port, grace, settings):
    """With a token: the version is refused, and so is who has none."""
    settings.A2A_ANONYMOUS = "off"
    settings.A2A_GRPC_URL = f"127.0.0.1:{port}"
    _, token = await in_thread(make_token, grace, "a test")
    found = await examined_over(ours, Interface(settings.A2A_GRPC_URL, "GRPC", "1.0", "clerk"), token)
    assert found.all("red") == [] and found.all("amber") == []
    assert "is refused (gRPC UNAUTHENTICATED)" in found["auth"].text
    assert "VERSION_NOT_SUPPORTED" in found["version"].exchange.response


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON", "GRPC"])
async def test_in_version_0_3_it_is_old_and_its_card_is_not_signed(ours, port, signed, grace, settings, binding):
    settings.A2A_ANONYMOUS = "off"
    _, token = await in_thread(make_token, grace, "a test")
    found = await examined_over(ours, Interface(legacy_urls(ours, port)[binding], binding, "0.3", ""), token)
    assert found.all("red") == [] and found.all("amber") == ["signature", "version"]
    assert found["push"].text.startswith("A configuration can be made")


def legacy_urls(ours: str, port: int) -> dict[str, Any]:
    address = f"{ours}/a2a/clerk"
    return {"JSONRPC": f"{address}/", "HTTP+JSON": address, "GRPC": f"127.0.0.1:{port}"}


async def test_an_agent_that_answers_with_messages_has_nothing_red(signed, ours):
    found = await examined(f"{ours}/a2a/parrot/")
    assert found.all("red") == []


async def test_who_has_to_sign_in_is_refused_without_a_token(ours, grace, settings):
    settings.A2A_ANONYMOUS = "off"
    await in_thread(shelf.claim, "clerk")
    await desk.certify("clerk", grace.id)
    await in_thread(cache.clear)
    certificate = await in_thread(shelf.load_certificate, await in_thread(Agent.objects.get, id="clerk"))
    by_id = {finding["id"]: finding for finding in certificate.findings}
    assert "HTTP 401" in by_id["auth"]["text"] and by_id["auth"]["level"] == "green"
    assert certificate.counts["red"] == 0 and certificate.progress is None
    assert "tkr_" not in str(certificate.findings)


async def test_the_token_of_the_test_is_gone_afterwards(ours, grace):
    async with targets.own_target("clerk", grace):
        assert await ApiToken.objects.filter(revoked_at=None).acount() == 1
    assert await ApiToken.objects.filter(revoked_at=None).acount() == 0


async def test_the_way_to_our_own_leads_nowhere_else(ours, grace):
    async with targets.own_target("clerk", grace) as target, target.open_client() as client:
        with pytest.raises(httpx.TransportError, match="not this server"):
            await client.get("http://127.0.0.1:1/")


def test_two_tests_of_an_agent_are_never_made_at_once(transactional_db):
    register_agents()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: claim_in_another_process(), range(8))) == 1
    shelf.let_go("chloe")
    assert shelf.claim("chloe")


def claim_in_another_process() -> bool:
    try:
        return shelf.claim("chloe")
    finally:
        connections.close_all()


def test_a_certificate_is_gone_with_its_agent(db):
    register_agents()
    assert shelf.claim("chloe")
    Agent.objects.get(id="chloe").delete()
    shelf.keep("chloe", [])
    assert not OwnCertificate.objects.exists()
