"""Whether `manage.py prepare` has done its work."""

from __future__ import annotations

from django.core.management import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def require_prepared_database() -> None:
    """Raises `CommandError`, with what to do."""
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        raise CommandError(f"The database does not answer, look at DATABASE_URL: {error}") from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date: run `manage.py prepare` first.")
