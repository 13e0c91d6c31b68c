from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.actions.api_tokens import make_token
from accounts.models import ApiToken, Scope, User

NEW_PASSWORD = "correct horse battery"
TOKEN = {"name": "backup script", "days": "30", "scopes": Scope.values}


def test_it_works(ada_browser: Client) -> None:
    answer = ada_browser.get("/settings/")

    assert answer.status_code == 200
    assert "Change your password" in answer.text and "API tokens" in answer.text


def test_strangers_are_asked_to_sign_in(db: None, client: Client) -> None:
    assert client.get("/settings/")["Location"] == "/sign-in/?next=/settings/"


def test_a_name_is_saved(ada: User, ada_browser: Client) -> None:
    ada_browser.post("/settings/", {"display_name": "Ada Lovelace"})

    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"
    assert "Your name is saved." in ada_browser.get("/settings/").text


def test_a_name_that_is_too_long_is_refused(ada: User, ada_browser: Client) -> None:
    answer = ada_browser.post("/settings/", {"display_name": "A" * 121})

    ada.refresh_from_db()
    assert answer.status_code == 422 and ada.name == "Ada"


def test_a_password_is_changed_with_the_old_one(ada: User, ada_browser: Client) -> None:
    form = {"old_password": "ada's password", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    assert ada_browser.post("/settings/password/", form).status_code == 302

    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORD)
    assert ada_browser.get("/settings/").status_code == 200, "this browser stays signed in"


def test_changing_the_password_signs_other_browsers_out(ada: User, ada_browser: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    form = {"old_password": "ada's password", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    ada_browser.post("/settings/password/", form)

    assert elsewhere.get("/settings/").status_code == 302


def test_a_password_is_not_changed_without_the_old_one(ada: User, ada_browser: Client) -> None:
    form = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}

    assert ada_browser.post("/settings/password/", form).status_code == 422
    ada.refresh_from_db()
    assert not ada.check_password(NEW_PASSWORD)


def test_whoever_came_by_a_link_sets_a_first_password(ada: User, client: Client) -> None:
    ada.set_unusable_password()
    ada.save()
    client.force_login(ada)
    assert "Set a password" in client.get("/settings/").text

    client.post("/settings/password/", {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})

    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORD)


def test_a_weak_password_is_refused(ada: User, ada_browser: Client) -> None:
    form = {"old_password": "ada's password", "new_password1": "password12", "new_password2": "password12"}

    answer = ada_browser.post("/settings/password/", form)

    assert answer.status_code == 422 and "too common" in answer.text


def test_a_token_is_shown_once(ada_browser: Client) -> None:
    answer = ada_browser.post("/settings/tokens/", TOKEN)

    token = ApiToken.objects.get()
    assert f"{token.prefix}" in answer.text and "not shown again" in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert "not shown again" not in ada_browser.get("/settings/").text


def test_a_token_needs_a_name(ada_browser: Client) -> None:
    assert ada_browser.post("/settings/tokens/", TOKEN | {"name": ""}).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_token_gets_the_limits_that_were_chosen(ada_browser: Client) -> None:
    limits = {"scopes": ["a2a:send", "a2a:read"], "agents": ["chloe"], "tenant": "acme"}

    page = ada_browser.post("/settings/tokens/", TOKEN | limits).text

    token = ApiToken.objects.get()
    assert {name: getattr(token, name) for name in limits} == limits
    assert "only chloe" in page and "tenant acme" in page and "<code>a2a:send</code>" in page


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["root"]}, "root is not one of the available choices"),
        ({"agents": ["nobody"]}, "nobody is not one of the available choices"),
        ({"agents": ["chloe"]}, "REST reaches every agent and tenant"),
        ({"tenant": "acme"}, "REST reaches every agent and tenant"),
        ({"tenant": "a/b", "scopes": ["a2a:send"]}, "Use letters, digits"),
    ],
)
def test_a_token_is_not_made_with_limits_that_make_no_sense(
    ada_browser: Client, change: dict[str, Any], complaint: str
) -> None:
    answer = ada_browser.post("/settings/tokens/", TOKEN | change)

    assert answer.status_code == 422 and complaint in answer.text
    assert not ApiToken.objects.exists()


def test_the_page_offers_the_agents_that_answer(ada_browser: Client) -> None:
    assert 'value="chloe"' in ada_browser.get("/settings/").text


def test_a_revoked_token_leaves_the_list(ada: User, ada_browser: Client) -> None:
    token, _ = make_token(ada, "backup script")

    ada_browser.post(f"/settings/tokens/{token.pk}/revoke/")

    token.refresh_from_db()
    assert token.revoked_at and not token.is_usable
    ada_browser.get("/settings/")  # the message "… is revoked" has been read
    assert "backup script" not in ada_browser.get("/settings/").text


def test_nobody_revokes_the_tokens_of_others(ada_browser: Client, mallory: User) -> None:
    token, _ = make_token(mallory, "hers")

    assert ada_browser.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert ada_browser.post(f"/settings/tokens/{uuid4()}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.is_usable
