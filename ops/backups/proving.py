"""A backup is proven when it was unpacked, restored into a database of its own, and that is what the manifest says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.migrations.executor import MigrationExecutor

from ops.backups.archive import extract
from ops.backups.databases import Config, Database, standing_in, the_database
from ops.backups.manifest import Manifest, sealings_of, version_number
from ops.backups.progress import Advancing, Progress, unseen
from ops.backups.refusals import DoesNotFit, NotProven
from ops.backups.snapshots import Snapshot, quoted
from ops.backups.stores import Store, opened
from ops.backups.workplace import require_space, workplace
from ops.known import unknown_migrations


@dataclass(frozen=True, slots=True)
class Proof:
    manifest: Manifest
    missing_files: int  # named in its database, and not in the backup: they were not on the disk when it was made


def prove_backup(store: Store, name: str, progress: Progress = unseen) -> Proof:
    with workplace() as folder:
        manifest = unpack(store, name, folder, progress)
        database = the_database()
        database.drop_left_over()
        config = database.beside("proof")
        try:
            database.load(folder / "database", config)
            progress("Comparing", 0, 1)
            missing = compare(database, config, manifest, folder / "media")
            progress("Comparing", 1, 1)
        finally:
            database.drop(config)
    return Proof(manifest, len(missing))


def unpack(store: Store, name: str, folder: Path, progress: Progress) -> Manifest:
    """Everything of it is in the folder, and is what was written."""
    with opened(store, name) as (source, manifest, head):
        require_fit(manifest)
        whole = manifest.database_bytes + manifest.file_bytes
        require_space(folder, whole)
        extract(source, sealings_of(manifest, head), folder, Advancing(progress, "Unpacking", whole))
    return manifest


def require_fit(manifest: Manifest) -> None:
    """Raises `DoesNotFit`."""
    if manifest.database != the_database().vendor:
        raise DoesNotFit(
            f"This is a backup of a {manifest.database} database, and DATABASE_URL names one of "
            f"{the_database().vendor}: restore it to a server with {manifest.database}."
        )
    newer = version_number(manifest.version) > version_number(settings.VERSION)
    unknown = unknown_migrations((app, name) for app, name in manifest.migrations)
    if newer or unknown:
        why = f" (its database has {unknown[0]})" if unknown else ""
        raise DoesNotFit(
            f"This backup was made by version {manifest.version}{why}, and this is {settings.VERSION}: "
            "install that version first."
        )


def compare(database: Database, config: Config, manifest: Manifest, media: Path) -> list[str]:
    """The restored database with what the manifest says. Returns the files that were missing already then."""
    found = database.inspect(config)
    _require_equal(found, manifest)
    with standing_in(config):
        _require_sound()
        return _missing_files(media)


def _require_equal(found: Snapshot, manifest: Manifest) -> None:
    for table in sorted(found.tables.keys() | manifest.tables.keys()):
        here, there = found.tables.get(table), manifest.tables.get(table)
        if here != there:
            raise NotProven(f"The table {table} has {here} rows after it was restored, and had {there}.")
    if sorted(found.migrations) != sorted(manifest.migrations):
        raise NotProven("After it was restored, the database has other migrations than it had.")


def _require_sound() -> None:
    """The product's own checks, with this database."""
    loader = MigrationExecutor(connection).loader
    loader.check_consistent_history(connection)
    found = checks.run_checks(databases=[DEFAULT_DB_ALIAS])
    errors = [message for message in found if message.is_serious() and not message.is_silenced()]
    if errors:
        raise NotProven(f"With the restored database this check fails: {errors[0].msg}")


def _missing_files(media: Path) -> list[str]:
    """In SQL: the database may be older than the models."""
    missing = []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for table, column in _file_columns():
            if table not in tables:
                continue
            described = connection.introspection.get_table_description(cursor, table)
            if column in {found.name for found in described}:
                cursor.execute(f"SELECT {quoted(column)} FROM {quoted(table)} WHERE {quoted(column)} <> ''")
                missing += [name for (name,) in cursor if not (media / name).is_file()]
    return missing


def _file_columns() -> list[tuple[str, str]]:
    return [
        (model._meta.db_table, str(field.column))
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FileField)
    ]
