"""How the database is emptied after a test that commits.

Django's `flush` empties every table there is and then writes content types and permissions anew, which takes longer than
most tests. Few tables ever hold rows, so those are looked for, and only they are emptied.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import TransactionTestCase

from agents_app.actions.agents import register_agents

TRIES = 5
WRITTEN_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}  # no test changes them


def empty_quickly() -> None:
    """Have every transactional test of this process emptied like this."""
    TransactionTestCase._fixture_teardown = lambda case: empty_database()


def empty_database() -> None:
    """A thread that the test left behind may still write a row for one that is deleted here, or wait for one that is
    locked here while this waits for its; then once more."""
    for tried in range(1, TRIES + 1):
        try:
            _empty()
            break
        except (IntegrityError, OperationalError):
            if tried == TRIES:
                raise


def _empty() -> None:
    names = [connection.ops.quote_name(name) for name in _tables() if name not in WRITTEN_BY_MIGRATE]
    look = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are looked at when it commits
        cursor.execute(look)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")
        register_agents()  # `migrate` does that, too


def _tables() -> list[str]:
    models: list[Any] = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy})
