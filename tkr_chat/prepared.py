"""Whether `manage.py prepare` has done its work, and may do it."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.management import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from ops.known import refusal_of


def require_prepared_database() -> None:
    """Raises `CommandError`, with what to do."""
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        raise CommandError(f"The database does not answer, look at DATABASE_URL: {error}") from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date: run `manage.py prepare` first.")
    _require_known(executor.loader.applied_migrations)


def require_known_database() -> None:
    """An empty one is known. Raises `CommandError`."""
    _require_known(MigrationRecorder(connection).applied_migrations())


def _require_known(applied: Iterable[tuple[str, str]]) -> None:
    if refusal := refusal_of(applied):
        raise CommandError(refusal)
