"""The test of our own agents: everything must be green, and of what was not always so."""

from __future__ import annotations

import httpx
import pytest

from accounts.models import ApiToken
from agents_app.a2a.certificate import desk, shelf, targets
from agents_app.a2a.certificate.tests.conftest import examined
from agents_app.a2a.tests.edge.conftest import _agents, server
from agents_app.actions.agents import register_agents
from agents_app.actions.signing_keys import make_signing_key
from agents_app.models import Agent
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


async def test_it_works(signed, ours):
    found = await examined(f"{ours}/a2a/clerk/")
    assert found.all("red") == [] and found.all("amber") == []


async def test_an_agent_that_answers_with_messages_has_nothing_red(signed, ours):
    found = await examined(f"{ours}/a2a/parrot/")
    assert found.all("red") == []


async def test_who_has_to_sign_in_is_refused_without_a_token(ours, grace, settings):
    settings.A2A_ANONYMOUS = "off"
    await in_thread(shelf.claim, "clerk")
    await desk.certify("clerk", grace.id)
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


def test_two_tests_of_an_agent_are_never_made_at_once(db):
    register_agents()
    assert shelf.claim("chloe") and not shelf.claim("chloe")
    shelf.let_go("chloe")
    assert shelf.claim("chloe")
