from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.browsers import browser_name
from accounts.models import AuditEntry, BrowserSession, User
from accounts.signals import session_ended

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def browser(user: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": agent})
    client.force_login(user)
    client.get("/settings/")
    return client


@pytest.fixture
def ended() -> Iterator[list[str]]:
    keys: list[str] = []

    def hear(sender, session_key: str, **_: object) -> None:
        keys.append(session_key)

    session_ended.connect(hear)
    yield keys
    session_ended.disconnect(hear)


def test_it_works(ada: User) -> None:
    page = browser(ada).get("/settings/").text

    assert "Firefox on Linux" in page and "this browser" in page and "127.0.0.1" in page


def test_another_browser_is_signed_out_and_its_sockets_hear_of_it(ada: User, ended: list[str]) -> None:
    here, there = browser(ada), browser(ada)
    other = BrowserSession.objects.get(session_key=there.session.session_key)

    answer = here.post(f"/settings/sessions/{other.id}/end/", follow=True)

    assert "Firefox on Linux is signed out." in answer.text
    assert there.get("/settings/").status_code == 302 and here.get("/settings/").status_code == 200
    assert ended == [other.session_key]


def test_all_others_are_signed_out_at_once(ada: User) -> None:
    here, *others = (browser(ada) for _ in range(3))

    here.post("/settings/sessions/end-others/")

    assert [each.get("/settings/").status_code for each in others] == [302, 302]
    assert here.get("/settings/").status_code == 200


def test_a_new_password_signs_all_others_out(ada: User, ended: list[str]) -> None:
    here, there = browser(ada), browser(ada)
    key = there.session.session_key

    passwords = {"old_password": "ada's password", "new_password1": "quite new 123", "new_password2": "quite new 123"}
    assert here.post("/settings/password/", passwords).status_code == 302

    assert key in ended and there.get("/settings/").status_code == 302
    assert here.get("/settings/").status_code == 200


def test_somebody_elses_session_does_not_exist(ada: User, mallory: User) -> None:
    browser(ada)
    session = BrowserSession.objects.get(user=ada)

    assert browser(mallory).post(f"/settings/sessions/{session.id}/end/").status_code == 404
    assert "Firefox on Linux is signed out" not in browser(mallory).get("/settings/").text


def test_it_is_ended_with_a_form_alone(ada: User) -> None:
    client = browser(ada)
    session = BrowserSession.objects.get(user=ada)

    assert client.get(f"/settings/sessions/{session.id}/end/").status_code == 405


def test_signing_out_takes_it_off_the_list(ada: User) -> None:
    browser(ada).post("/sign-out/")

    assert not BrowserSession.objects.exists()


def test_administrators_sign_others_out(ada: User, grace: User) -> None:
    there, admin = browser(ada), browser(grace)
    session = BrowserSession.objects.get(user=ada)

    admin.post("/admin/accounts/browsersession/", {"action": "sign_out", "_selected_action": [str(session.id)]})

    assert there.get("/settings/").status_code == 302
    assert AuditEntry.objects.get(action="session.ended").actor == "grace"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("", "A browser"),
    ],
)
def test_browsers_have_the_names_people_know(agent: str, name: str) -> None:
    assert browser_name(agent) == name
