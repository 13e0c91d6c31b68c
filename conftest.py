"""The cast of every test. Each person is here for a reason; invent others only where the test is about them."""

from __future__ import annotations

import pytest

from accounts.models import User


@pytest.fixture
def ada(db: None) -> User:
    """An ordinary person, whose conversations the tests are about."""
    return User.objects.create_user("ada", password="ada's password", display_name="Ada")


@pytest.fixture
def grace(db: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("grace", password="grace's password", display_name="Grace")


@pytest.fixture
def mallory(db: None) -> User:
    """An outsider: has an account and must see nothing of Ada's."""
    return User.objects.create_user("mallory", password="mallory's password", display_name="Mallory")
