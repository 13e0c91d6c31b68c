from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User

POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}


def policy_of(client: Client, path: str) -> set[str]:
    return set(client.get(path)["Content-Security-Policy"].split("; "))


def test_it_works(db: None, client: Client) -> None:
    assert policy_of(client, "/sign-in/") == POLICY


@pytest.mark.parametrize("path", ["/settings/", "/nothing-here", "/api/v1/nothing", "/static/favicon.svg", "/docs"])
def test_every_answer_has_it(ada: User, client: Client, path: str) -> None:
    client.force_login(ada)

    assert policy_of(client, path) == POLICY


def test_the_admin_alone_may_do_what_its_scripts_need(grace: User, client: Client) -> None:
    client.force_login(grace)

    changed = policy_of(client, "/admin/") - POLICY

    assert {frozenset(directive.split()) for directive in changed} == {
        frozenset({"script-src", "'self'", "'unsafe-inline'", "'unsafe-eval'"}),
        frozenset({"style-src", "'self'", "'unsafe-inline'"}),
    }


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-in/spent/", "/settings/", "/nothing-here"])
def test_our_pages_have_nothing_that_it_forbids(ada: User, client: Client, path: str) -> None:
    if path == "/settings/":
        client.force_login(ada)

    page = client.get(path).text

    assert "<style" not in page and " style=" not in page and "<script>" not in page and " onclick" not in page
