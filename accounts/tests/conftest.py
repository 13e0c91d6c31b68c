from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User


@pytest.fixture(autouse=True)
def no_attempts_remembered() -> None:
    cache.clear()


@pytest.fixture
def ada_browser(ada: User, client: Client) -> Client:
    """A browser in which Ada is signed in."""
    client.force_login(ada)
    return client
