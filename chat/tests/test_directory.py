from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents_app.a2a.client.credentials import seal, unseal
from agents_app.actions.agents import register_agents
from agents_app.models import Agent, RemoteAgent
from agents_app.tests.conftest import internet
from agents_app.tests.fake_internet import FakeInternet, as_json
from chat.tests.room import Room

__all__ = ["internet"]

pytestmark = pytest.mark.django_db
PATH = "/.well-known/agent-card.json"
CARD: dict[str, Any] = {
    "name": "Weather Bot",
    "description": "Knows the weather everywhere.",
    "version": "1",
    "provider": {"organization": "The Weather Office", "url": "https://example.com"},
    "capabilities": {"streaming": True},
    "supportedInterfaces": [{"url": "http://127.0.0.1:9/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
    "securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}},
    "securityRequirements": [{"schemes": {"key": {}}}],
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["text/plain"],
    "skills": [{"id": "rain", "name": "Tells rain", "description": "Tomorrow's.", "tags": ["wet"]}],
}


@pytest.fixture
def browser() -> Callable[..., Client]:
    def sign_in(user: Any) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def remote(grace: Any) -> RemoteAgent:
    agent = Agent.objects.create(id="rain", name="Weather Bot", description="Knows.", colour="#2f7d4f", position=1000)
    return RemoteAgent.objects.create(
        agent=agent,
        card_url="http://127.0.0.1:9/card.json",
        card=CARD,
        card_sha256="",
        interface_url="http://127.0.0.1:9/rpc",
        binding="JSONRPC",
        protocol_version="1.0",
        credentials=seal({"key": "open sesame"}),
        added_by=grace,
        added_at=timezone.now(),
        check_at=timezone.now(),
    )


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return answer.content.decode()


def test_it_works(browser, ada, remote):
    register_agents()
    page = text(browser(ada).get("/agents/"))
    assert "Chloe" in page and "On this server" in page
    assert "Weather Bot" in page and "A2A agent at 127.0.0.1:9" in page and "Answers" in page


def test_an_agent_has_a_page(browser, ada, remote):
    page = text(browser(ada).get("/agents/rain/"))
    assert "http://127.0.0.1:9/rpc" in page and "The Weather Office" in page and "Not signed" in page
    assert "sesame" not in page and "Credentials" not in page and "Remove" not in page


def test_an_agent_of_this_server_has_a_page(browser, grace):
    register_agents()
    page = text(browser(grace).get("/agents/chloe/"))
    assert "Thinks with" in page and "Remove" not in page


def test_adding_one_shows_it_first(browser, grace, internet: FakeInternet):
    internet.pages[PATH] = as_json(CARD)
    page = text(browser(grace).post("/agents/preview", {"url": internet.url}))
    for words in (
        "Add Weather Bot?",
        "The Weather Office",
        "Tells rain",
        "Not signed",
        "API key (X-Key in the header)",
    ):
        assert words in page
    assert 'value="weather-bot"' in page and not RemoteAgent.objects.exists()


def added(client: Client, internet: FakeInternet, **values: str) -> Any:
    page = text(client.post("/agents/preview", {"url": internet.url}))
    sha256 = page.split('name="sha256" value="')[1].split('"')[0]
    fields = {"url": internet.url + PATH, "sha256": sha256, "agent_id": "rain", "credential:key": "open sesame"}
    return client.post("/agents/add", fields | values)


def test_what_was_shown_is_added(browser, grace, internet: FakeInternet):
    internet.pages[PATH] = as_json(CARD)
    answer = added(browser(grace), internet)
    assert (answer.status_code, answer["Location"]) == (302, "/agents/rain/")
    assert unseal(RemoteAgent.objects.get()) == {"key": "open sesame"}


def test_what_was_not_shown_is_not_added(browser, grace, internet: FakeInternet):
    internet.pages[PATH] = as_json(CARD)
    assert "The card has changed just now" in text(added(browser(grace), internet, sha256="another"), 422)
    assert not RemoteAgent.objects.exists()


def test_a_name_that_is_taken_can_be_changed(browser, grace, internet: FakeInternet):
    register_agents()
    internet.pages[PATH] = as_json(CARD)
    assert "“chloe” is taken" in text(added(browser(grace), internet, agent_id="chloe"), 422)


def test_an_address_without_a_card_says_so(browser, grace, internet: FakeInternet):
    page = text(browser(grace).post("/agents/preview", {"url": f"{internet.url}/nothing"}), 422)
    assert "There is no agent card at" in page and f'value="{internet.url}/nothing"' in page


@pytest.mark.parametrize("path", ["preview", "add", "rain/remove", "rain/credentials", "rain/accept", "rain/look"])
def test_only_administrators_change_anything(browser, ada, remote, path):
    assert browser(ada).post(f"/agents/{path}", {"url": "http://127.0.0.1:9"}).status_code == 403
    assert Client().post(f"/agents/{path}")["Location"].startswith("/sign-in/")
    assert RemoteAgent.objects.count() == 1


def test_credentials_are_kept_unless_they_are_replaced_or_forgotten(browser, grace, remote):
    client = browser(grace)
    client.post("/agents/rain/credentials", {"credential:key": ""})
    assert unseal(RemoteAgent.objects.get()) == {"key": "open sesame"}
    client.post("/agents/rain/credentials", {"credential:key": "new"})
    assert unseal(RemoteAgent.objects.get()) == {"key": "new"}
    client.post("/agents/rain/credentials", {"credential:key": "", "forget": "key"})
    assert unseal(RemoteAgent.objects.get()) == {}


def test_a_changed_card_shows_what_is_different_until_it_is_accepted(browser, ada, grace, remote, settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    remote.pending_card = CARD | {"description": "Knows your secrets."}
    remote.save()
    assert "On hold" in text(browser(ada).get("/agents/"))
    page = text(browser(ada).get("/agents/rain/"))
    assert "Knows your secrets." in page and "Accept" not in page
    assert browser(grace).post("/agents/rain/accept").status_code == 302
    assert Agent.objects.get(id="rain").description == "Knows your secrets."


def test_removing_one(browser, grace, remote):
    assert browser(grace).post("/agents/rain/remove")["Location"] == "/agents/"
    assert not RemoteAgent.objects.exists()


def test_the_picker_knows_who_is_down_and_since_when(browser, ada, remote):
    remote.down_since = timezone.now()
    remote.save()
    room = Room(ada, agents=("rain",))
    page = text(browser(ada).get(f"/c/{room.id}/"))
    assert f'data-description="Knows." data-down-since="{remote.down_since.isoformat()}"' in page
    assert f'data-down-since="{remote.down_since.isoformat()}"' in text(browser(ada).get("/new/"))
