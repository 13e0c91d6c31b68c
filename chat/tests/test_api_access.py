from __future__ import annotations

import re

import pytest
from django.db import OperationalError
from django.middleware.csrf import _get_new_csrf_string
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from chat import access
from chat.tests.api_client import API, Program, token_of


@pytest.fixture
async def browser(transactional_db, ada) -> AsyncClient:
    """Ada's browser, signed in."""
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(ada)
    return client


async def test_it_works(transactional_db, ada):
    assert (await Program(token_of(ada)).call("GET", "/conversations"))[0] == 200


async def test_strangers_are_refused(transactional_db):
    assert await Program().refused("GET", "/conversations") == (401, "unauthenticated")
    assert await Program().refused("POST", "/conversations", {}) == (401, "unauthenticated")


async def test_unknown_token_is_refused(transactional_db):
    assert await Program("tkr_nothing").refused("GET", "/agents") == (401, "unauthenticated")


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
async def test_spent_token_is_refused(transactional_db, ada, change):
    program = Program(token_of(ada))
    await ApiToken.objects.aupdate(**change)
    assert await program.refused("GET", "/agents") == (401, "unauthenticated")


async def test_token_of_somebody_shut_out_is_refused(transactional_db, ada):
    program = Program(token_of(ada))
    await User.objects.aupdate(is_active=False)
    assert await program.refused("GET", "/agents") == (401, "unauthenticated")


@pytest.mark.parametrize("change", [{"scopes": ["a2a:send", "a2a:read"]}, {"agents": ["chloe"]}, {"tenant": "acme"}])
async def test_token_for_a2a_alone_is_refused_and_told_why(transactional_db, ada, change):
    program = Program(token_of(ada))
    await ApiToken.objects.aupdate(**change)
    assert await program.refused("GET", "/agents") == (403, "forbidden")
    assert "for A2A alone" in (await program.call("GET", "/agents"))[1]["error"]["message"]


async def test_bad_token_is_not_made_good_by_a_session(browser):
    response = await browser.get(f"{API}/agents", headers={"authorization": "Bearer tkr_nothing"})
    assert response.status_code == 401


async def test_session_reads(browser):
    assert (await browser.get(f"{API}/agents")).status_code == 200


async def test_session_writes_with_the_csrf_token_only(browser):
    async def post(headers: dict[str, str]) -> int:
        response = await browser.post(f"{API}/conversations", {}, content_type="application/json", headers=headers)
        return response.status_code

    secret = _get_new_csrf_string()
    browser.cookies["csrftoken"] = secret
    assert await post({}) == 403
    assert await post({"x-csrftoken": _get_new_csrf_string()}) == 403
    assert await post({"x-csrftoken": secret}) == 201


async def test_refusal_for_csrf_has_the_shape_of_every_error(browser):
    response = await browser.delete(f"{API}/conversations/{'0' * 8}-0000-0000-0000-{'0' * 12}")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/nothing", "/conversations/7", "/tasks/7/cancel"])
async def test_unknown_address_is_refused_in_json(transactional_db, path):
    assert await Program().refused("GET", path) == (404, "not_found")


async def test_wrong_method_is_refused_in_json(transactional_db):
    assert await Program().refused("PUT", "/agents", {}) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("the secret ingredient"), (500, "server_error")),
        (OperationalError("the secret ingredient"), (503, "database_away")),  # it passes: the caller may try again
    ],
)
async def test_what_nobody_foresaw_tells_nothing(transactional_db, ada, monkeypatch, caplog, error, told):
    def fail(*args):
        raise error

    monkeypatch.setattr(access, "list_agents", fail)
    status, answer = await Program(token_of(ada)).call("GET", "/agents")
    assert (status, answer["error"]["code"]) == told
    assert "secret ingredient" not in str(answer)
    assert "secret ingredient" in caplog.text


def test_reference_shows_every_call_without_scripts_or_styles_of_its_own(client):
    html = client.get(reverse("api_reference")).content.decode()
    assert "/api/v1/conversations/{conversation_id}/messages" in html
    assert "/api/v1/tasks/{task_id}/cancel" in html
    assert not re.search(r"<style|style=|<script>|https?://(?!www\.w3)", html)


def test_schema_is_served(client):
    assert client.get(f"{API}/openapi.json").json()["info"]["title"] == "tkr-agent-chat"


def test_documents_are_listed_and_shown(client, settings, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "user-guide.md").write_text("# User guide\n\nHow to talk.\n\n<script>alert(1)</script>\n")
    settings.BASE_DIR = tmp_path
    assert "How to talk." in client.get(reverse("docs")).content.decode()
    page = client.get("/docs/user-guide").content.decode()
    assert "User guide</h1>" in page
    assert "<script>alert" not in page
    assert client.get("/docs/user-guide.md").headers["Location"] == "/docs/user-guide"
    assert client.get("/docs/nothing").status_code == 404
