"""The page of an agent's certificate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from agents_app.a2a.certificate import desk, shelf
from agents_app.a2a.certificate.findings import Exchange, Finding, Level
from agents_app.models import RemoteAgent
from chat.tests.room import make_agent

FINDINGS = [
    Finding("card", "Agent card", Level.GREEN, "The card is there.", Exchange("GET http://x", "HTTP 200 <b>")),
    Finding("signature", "Signature", Level.AMBER, "The card is not signed."),
    Finding("auth", "Calls without credentials", Level.RED, "A call without any was answered."),
]


@pytest.fixture
def remote(db: None) -> RemoteAgent:
    now = timezone.now()
    values = {"card_url": "https://x.test/card.json", "card": {"name": "Bot"}, "interface_url": "https://x.test/rpc"}
    return RemoteAgent.objects.create(
        agent=make_agent("bot"), binding="JSONRPC", protocol_version="1.0", added_at=now, check_at=now, **values
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the page asks to be tested."""
    asked: list[Any] = []
    monkeypatch.setattr("chat.certificate.request_test", lambda *values: asked.append(values))
    return asked


def page(client: Client, user: User, agent_id: str = "bot") -> str:
    client.force_login(user)
    response = client.get(f"/agents/{agent_id}/certificate/")
    assert response.status_code == 200
    return response.content.decode()


def test_it_works(client, ada, remote):
    shelf.keep("bot", FINDINGS)
    html = page(client, ada)
    assert html.index("A call without any") < html.index("not signed") < html.index("The card is there")
    assert "HTTP 200 &lt;b&gt;" in html
    assert "<strong>1</strong><span>green</span>" in html
    assert "It is called by JSONRPC in A2A 1.0." in html
    assert "Test again" not in html


def test_what_was_never_tested_says_so(client, grace, remote):
    html = page(client, grace)
    assert "was never tested" in html and "Test this agent" in html and "may cost something" in html


def test_a_test_that_runs_shows_how_far_it_is(client, grace, remote):
    assert shelf.claim("bot")
    shelf.note_progress("bot", 4, 21, "Listing tasks")
    html = page(client, grace)
    assert "Listing tasks" in html and "5 of 21" in html and "Test this agent" not in html


def test_a_card_on_hold_is_said(client, ada, remote):
    RemoteAgent.objects.update(pending_card={"name": "Other"})
    assert "is on hold" in page(client, ada)


def test_the_button_asks_for_a_test(client, grace, remote, asked):
    client.force_login(grace)
    response = client.post("/agents/bot/certificate/")
    assert response.status_code == 302 and asked == [("bot", grace.id)]


def test_only_administrators_may_ask_for_one(client, ada, remote, asked):
    client.force_login(ada)
    assert client.post("/agents/bot/certificate/").status_code == 403 and asked == []


def test_who_asks_twice_is_told(client, grace, remote, monkeypatch):
    def busy(*values: Any) -> None:
        raise desk.Busy

    monkeypatch.setattr("chat.certificate.request_test", busy)
    client.force_login(grace)
    assert "is being tested already" in client.post("/agents/bot/certificate/", follow=True).content.decode()


def test_nobody_sees_the_certificate_of_an_agent_that_is_not_here(client, ada):
    client.force_login(ada)
    assert client.get("/agents/nobody/certificate/").status_code == 404


def test_who_is_not_signed_in_is_sent_to_sign_in(client, remote):
    assert client.get("/agents/bot/certificate/").status_code == 302


def test_our_own_agents_have_one_too(client, grace, db):
    make_agent("own")
    assert shelf.claim("own")
    shelf.keep("own", FINDINGS)
    cache.clear()
    html = page(client, grace, "own")
    assert "A call without any was answered." in html and "whenever an administrator asks" in html


def test_a_test_that_died_does_not_run_any_more(client, grace, remote):
    since = timezone.now() - shelf.LONGEST - timedelta(minutes=1)
    RemoteAgent.objects.update(certificate={"running": {"since": since.isoformat(), "done": 1, "of": 2, "title": "x"}})
    assert "Testing" not in page(client, grace)
