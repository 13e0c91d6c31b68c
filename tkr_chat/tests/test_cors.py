from __future__ import annotations

import pytest
from django.test import Client

OTHER_SITE = "https://example.com"


@pytest.fixture
def allowed(settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OTHER_SITE]


def permission(client: Client, path: str, origin: str = OTHER_SITE) -> str | None:
    return client.options(path, headers={"origin": origin, "access-control-request-method": "GET"}).get(
        "Access-Control-Allow-Origin"
    )


def test_it_works(db: None, allowed: None, client: Client) -> None:
    assert permission(client, "/api/v1/agents") == OTHER_SITE


def test_pages_are_for_no_other_site(db: None, allowed: None, client: Client) -> None:
    assert permission(client, "/settings/") is None


def test_an_origin_that_is_not_listed_is_refused(db: None, allowed: None, client: Client) -> None:
    assert permission(client, "/api/v1/agents", "https://evil.example") is None


def test_nobody_is_listed_at_first(db: None, client: Client) -> None:
    assert permission(client, "/api/v1/agents") is None
