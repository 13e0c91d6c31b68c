from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.access import find_token
from accounts.actions.api_tokens import make_token
from accounts.models import User


@pytest.fixture
def grace_browser(grace: User, client: Client) -> Client:
    client.force_login(grace)
    return client


def test_it_works(ada: User, grace_browser: Client) -> None:
    assert "ada" in grace_browser.get("/admin/accounts/user/").text
    assert "Ada" in grace_browser.get(f"/admin/accounts/user/{ada.pk}/change/").text


def test_a_person_is_added(grace_browser: Client) -> None:
    form = {"username": "alan", "usable_password": "false"}

    assert grace_browser.post("/admin/accounts/user/add/", form).status_code == 302
    assert not User.objects.get(username="alan").has_usable_password()


def test_a_sign_in_link_is_made_for_a_person(ada: User, grace_browser: Client) -> None:
    form = {"action": "make_link", "_selected_action": str(ada.pk)}

    answer = grace_browser.post("/admin/accounts/user/", form, follow=True)

    assert "ada: http://127.0.0.1:8000/sign-in/" in answer.text
    assert ada.sign_in_links.count() == 1


def test_tokens_are_revoked_and_their_hashes_never_shown(ada: User, grace_browser: Client) -> None:
    token, _ = make_token(ada, "cron")
    pages = ["/admin/accounts/apitoken/", f"/admin/accounts/apitoken/{token.pk}/change/"]
    assert all(
        token.prefix in (text := grace_browser.get(page).text) and token.token_hash not in text for page in pages
    )

    grace_browser.post("/admin/accounts/apitoken/", {"action": "revoke", "_selected_action": str(token.pk)})

    token.refresh_from_db()
    assert token.revoked_at


def test_a_token_is_made_and_its_text_shown_once(ada: User, grace_browser: Client) -> None:
    form = {"user": str(ada.pk), "name": "cron", "scopes": ["a2a:read"], "agents": ["chloe"], "tenant": ""}
    assert grace_browser.get("/admin/accounts/apitoken/add/").status_code == 200

    page = grace_browser.post("/admin/accounts/apitoken/add/", form, follow=True).text

    text = page.partition("The token is ")[2].partition(" ")[0]
    token = find_token(text)
    assert token and token.user == ada and (token.scopes, token.agents) == (["a2a:read"], ["chloe"])
    assert text not in grace_browser.get("/admin/accounts/apitoken/").text


def test_a_token_is_not_made_with_limits_that_make_no_sense(ada: User, grace_browser: Client) -> None:
    form = {"user": str(ada.pk), "name": "cron", "scopes": ["api"], "agents": ["chloe"], "tenant": ""}

    assert "REST reaches every agent" in grace_browser.post("/admin/accounts/apitoken/add/", form).text
    assert not ada.api_tokens.exists()


def test_a_token_is_not_changed(ada: User, grace_browser: Client) -> None:
    token, _ = make_token(ada, "cron", scopes=["a2a:read"])

    grace_browser.post(f"/admin/accounts/apitoken/{token.pk}/change/", {"name": "x", "scopes": ["api"]})

    token.refresh_from_db()
    assert (token.name, token.scopes) == ("cron", ["a2a:read"])


def test_nobody_makes_tokens_for_people_whose_password_they_may_not_set(ada: User, client: Client) -> None:
    ada.is_staff = True
    ada.save()
    ada.user_permissions.set(Permission.objects.filter(codename__in=("add_apitoken", "view_apitoken")))
    client.force_login(ada)

    assert client.get("/admin/accounts/apitoken/").status_code == 200
    assert client.get("/admin/accounts/apitoken/add/").status_code == 403


def test_ordinary_people_do_not_get_in(ada: User, client: Client) -> None:
    client.force_login(ada)

    assert client.get("/admin/", follow=True).status_code == 403


def test_strangers_sign_in_on_the_page_that_counts_attempts(db: None, client: Client) -> None:
    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/admin/"
