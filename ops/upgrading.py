from __future__ import annotations

from dataclasses import dataclass

from django.core import checks
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from ops.backups.databases import the_database
from ops.backups.making import Made, make_backup, new_name
from ops.backups.progress import Progress
from ops.backups.proving import prove_backup
from ops.backups.refusals import Refused
from ops.backups.restoring import restore_backup
from ops.backups.stores import Store
from ops.known import refusal_of


class PutBack(Refused):
    """Everything is as it was."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    backup: str
    applied: list[str]


def upgrade(store: Store, progress: Progress) -> Upgraded:
    """The ledger of backups is left alone until the end: its table may be older than this program.

    1. See that nobody is connected: otherwise nothing could be put back. 2. Back up, and prove it. 3. Migrate, and prepare.
    4. Check. 5. When 3 or 4 fails, restore the backup as it was, without migrating it, and say what failed.
    """
    database = the_database()
    database.require_nobody()
    planned = _planned()
    made = make_backup(store, new_name(), progress)
    prove_backup(store, made.name, progress)
    try:
        call_command("prepare")
        _check(made)
    except Exception as failure:  # whatever it is: what was there is put back
        connection.close()
        restored = restore_backup(store, made.name, progress, up_to_date=False)
        why = str(failure).partition("\n")[0].rstrip(".")
        raise PutBack(
            f"The upgrade failed, and everything is as it was: {why}. "
            f"Start the version that was there before. What the upgrade had done is kept as {restored.kept}."
        ) from failure
    return Upgraded(made.name, planned)


def _planned() -> list[str]:
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise Refused(f"The database does not answer, look at DATABASE_URL: {error}") from error
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()
    if refusal := refusal_of(executor.loader.applied_migrations):
        raise Refused(refusal)
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _check(made: Made) -> None:
    """Raises `CommandError`."""
    if missing := _planned():
        raise CommandError(f"{missing[0]} is still missing.")
    found = checks.run_checks(databases=[DEFAULT_DB_ALIAS])
    errors = [message for message in found if message.is_serious() and not message.is_silenced()]
    if errors:
        raise CommandError(f"A check fails: {errors[0].msg}")
    messages = the_database().inspect(connection.settings_dict).messages
    if messages < made.manifest.messages:
        raise CommandError(f"There were {made.manifest.messages:,} messages before, and {messages:,} are left.")
