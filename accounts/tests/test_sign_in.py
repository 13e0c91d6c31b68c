from __future__ import annotations

from time import sleep

import pytest
from django.test import Client

from accounts import throttle
from accounts.models import User

PASSWORD = "ada's password"


def sign_in(client: Client, password: str = PASSWORD, **more: str):
    return client.post("/sign-in/", {"username": "ada", "password": password, **more})


def test_it_works(ada: User, client: Client) -> None:
    answer = sign_in(client)

    assert answer.status_code == 302 and answer["Location"] == "/"
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_it_leads_back_to_where_one_came_from(ada: User, client: Client) -> None:
    assert sign_in(client, next="/settings/")["Location"] == "/settings/"


def test_it_does_not_lead_to_other_servers(ada: User, client: Client) -> None:
    assert sign_in(client, next="https://evil.example/")["Location"] == "/"


def test_a_wrong_password_is_refused(ada: User, client: Client) -> None:
    answer = sign_in(client, "wrong")

    assert answer.status_code == 200 and "_auth_user_id" not in client.session
    assert "correct username and password" in answer.text


def test_guessing_is_slowed_down_and_says_how_long(ada: User, client: Client) -> None:
    for _ in range(throttle.FREE_ATTEMPTS + 1):
        sign_in(client, "wrong")

    answer = sign_in(client)

    assert "Too many attempts. Try again in" in answer.text
    assert "_auth_user_id" not in client.session


def test_after_the_wait_there_is_one_more_attempt(ada: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "WAIT_SECONDS", 1)
    for _ in range(throttle.FREE_ATTEMPTS + 2):
        sign_in(client, "wrong")
    sleep(1.1)

    assert sign_in(client).status_code == 302


def test_guessing_from_one_address_does_not_lock_ada_out_at_another(ada: User, client: Client) -> None:
    for _ in range(throttle.FREE_ATTEMPTS + 5):
        client.post("/sign-in/", {"username": "ada", "password": "wrong"}, REMOTE_ADDR="203.0.113.9")

    assert sign_in(client).status_code == 302


def test_signing_in_forgets_the_failures(ada: User, client: Client) -> None:
    for _ in range(throttle.FREE_ATTEMPTS - 1):
        sign_in(client, "wrong")
    sign_in(client)
    client.logout()

    for _ in range(throttle.FREE_ATTEMPTS - 1):
        sign_in(client, "wrong")

    assert sign_in(client).status_code == 302


def test_a_form_from_another_site_is_refused(ada: User) -> None:
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_signing_out_needs_a_form(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.get("/sign-out/").status_code == 405

    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session
