from __future__ import annotations

from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.actions.sign_in_links import make_sign_in_link
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


def test_guessing_is_stopped_and_says_for_how_long(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, "wrong")

    answer = sign_in(client)

    assert answer.status_code == 429 and answer["Retry-After"] == "300"
    assert "Too many attempts. Try again in 5 minutes" in answer.text
    assert "_auth_user_id" not in client.session


def test_it_is_stopped_in_every_process(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "wrong")
    cache.clear()

    assert sign_in(client).status_code == 429


def test_after_the_wait_one_may_try_again(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT + 1):
        sign_in(client, "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)

    assert sign_in(client).status_code == 302


def test_guessing_from_one_address_does_not_lock_ada_out_at_another(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT + 5):
        client.post("/sign-in/", {"username": "ada", "password": "wrong"}, REMOTE_ADDR="203.0.113.9")

    assert sign_in(client).status_code == 302


def test_signing_in_forgets_the_failures(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        sign_in(client, "wrong")
    sign_in(client)
    client.logout()

    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        sign_in(client, "wrong")

    assert sign_in(client).status_code == 302


def test_a_link_still_works_for_who_is_shut_out(ada: User, client: Client, settings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT + 1):
        sign_in(client, "wrong")

    assert client.get(make_sign_in_link(ada, "http://testserver")).status_code == 302


def test_a_form_from_another_site_is_refused(ada: User) -> None:
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_signing_out_needs_a_form(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.get("/sign-out/").status_code == 405

    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session
