"""Whether data is of a version that this one does not know: it has migrations that are not here."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.loader import MigrationLoader

OURS = ("accounts", "agents_app", "chat", "metrics", "ops")


def unknown_migrations(applied: Iterable[tuple[str, str]]) -> list[str]:
    """Those of `applied`, pairs of app and name, that only a newer version has."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return [f"{app}.{name}" for app, name in applied if app in OURS and (app, name) not in known]


def refusal_of(applied: Iterable[tuple[str, str]]) -> str:
    """Why this version leaves data with these migrations alone: it would not keep what a newer one has promised.
    Empty: it does not."""
    unknown = unknown_migrations(applied)
    if not unknown:
        return ""
    return (
        f"A newer version has changed this database (it has {unknown[0]}): start that version, or restore a backup that was "
        "made before, see docs/operations.md."
    )
