from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions.sign_in_links import make_sign_in_link
from accounts.models import SignInLink, User


def path_of(url: str) -> str:
    return urlsplit(url).path


def signed_in_as(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_it_works(ada: User, client: Client) -> None:
    answer = client.get(path_of(make_sign_in_link(ada)))

    assert answer.status_code == 302 and answer["Location"] == "/"
    assert signed_in_as(client) == str(ada.pk)


def test_the_link_leads_to_the_public_address(ada: User, settings) -> None:
    settings.PUBLIC_URL = "https://chat.example.com"

    assert make_sign_in_link(ada).startswith("https://chat.example.com/sign-in/")


def test_the_database_never_sees_the_token(ada: User) -> None:
    token = path_of(make_sign_in_link(ada)).split("/")[2]

    assert len(token) > 40 and token != SignInLink.objects.get().token_hash


def test_it_works_once(ada: User, client: Client) -> None:
    path = path_of(make_sign_in_link(ada))
    client.get(path)

    someone_else = Client()
    answer = someone_else.get(path)

    assert answer.status_code == 410 and signed_in_as(someone_else) is None
    assert "make link" in answer.text


def test_a_used_link_takes_whoever_is_signed_in_to_the_chat(ada: User, client: Client) -> None:
    path = path_of(make_sign_in_link(ada))
    client.get(path)

    assert client.get(path)["Location"] == "/"


def test_it_stops_working_after_a_day(ada: User, client: Client) -> None:
    path = path_of(make_sign_in_link(ada))
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert client.get(path).status_code == 410


def test_a_newer_link_replaces_it(ada: User, client: Client) -> None:
    older = path_of(make_sign_in_link(ada))
    newer = path_of(make_sign_in_link(ada))

    assert client.get(older).status_code == 410
    assert client.get(newer).status_code == 302


def test_it_does_not_let_in_whoever_was_switched_off(ada: User, client: Client) -> None:
    path = path_of(make_sign_in_link(ada))
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert client.get(path).status_code == 410


def test_an_invented_link_lets_nobody_in(db: None, client: Client) -> None:
    assert client.get("/sign-in/invented/").status_code == 410


def test_looking_at_the_headers_does_not_use_it_up(ada: User, client: Client) -> None:
    path = path_of(make_sign_in_link(ada))

    assert client.head(path).status_code == 405
    assert client.get(path).status_code == 302


def test_the_session_gets_a_new_key_so_that_a_planted_one_is_worthless(ada: User, client: Client) -> None:
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = session.session_key

    client.get(path_of(make_sign_in_link(ada)))

    assert client.session.session_key != session.session_key


def test_the_answer_is_kept_by_no_cache(ada: User, client: Client) -> None:
    assert "no-store" in client.get(path_of(make_sign_in_link(ada)))["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_gets_in(ada: User) -> None:
    path = path_of(make_sign_in_link(ada))

    def open_link(_: int) -> int:
        try:
            return Client().get(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(open_link, range(8)))

    assert sorted(codes) == [302] + [410] * 7
