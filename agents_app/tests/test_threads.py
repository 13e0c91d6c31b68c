"""Database work beside the event loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from psycopg_pool import PoolTimeout

from accounts.models import User
from agents_app.threads import in_thread, in_thread_apart

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def exhausted_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets a connection of it. SQLite has none."""

    def refuse(*args: object) -> None:
        raise PoolTimeout

    if connection.vendor == "postgresql":
        connection.close()  # this thread's own goes back as well
        monkeypatch.setattr(connection.pool, "getconn", refuse)


@pytest.mark.parametrize("run", [in_thread, in_thread_apart])
async def test_it_works(run: Callable[..., object]) -> None:
    assert await run(User.objects.count) == 0


async def test_what_operators_need_does_not_take_from_the_pool(exhausted_pool: None) -> None:
    if settings.ON_POSTGRESQL:
        with pytest.raises(OperationalError):
            await in_thread(User.objects.count)

    assert await in_thread_apart(User.objects.count) == 0


async def test_a_connection_that_was_cut_is_replaced_without_an_error() -> None:
    await in_thread_apart(_cut)

    assert await in_thread_apart(User.objects.count) == 0


def _cut() -> None:
    """As PostgreSQL does when it restarts. SQLite cuts nobody."""
    if connection.vendor != "postgresql":
        connection.close()
        return
    with contextlib.suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
