"""The database, its migrations, and what is left of them when everything else is lost: backups and secrets."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from agents_app.runtime.receipt import is_full
from ops.access import last_proof
from ops.backups.databases import the_database
from ops.examination.findings import Finding, amber, green, red
from ops.known import unknown_migrations
from ops.models import Backup
from ops.secrets import count_unreadable

SLOW_SECONDS = 0.5
WAL_BYTES = 512 * 1024 * 1024
CONNECTIONS_SHARE = 0.8
ROOM_BYTES = 1024 * 1024
PROOF_AGE = timedelta(hours=50)  # two nights


def database() -> Iterator[Finding]:
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError as error:
        yield red("database", f"It does not answer: {error}", "Start it, or look at DATABASE_URL.")
        return
    took = time.monotonic() - began
    text = f"{connection.display_name}, {the_database().size() / 2**20:,.0f} MB, answers in {took * 1000:,.0f} ms."
    if took > SLOW_SECONDS:
        yield amber("database", text, "It is slow: look at its machine's processor and disk.")
    else:
        yield green("database", text)
    if connection.vendor == "sqlite":
        yield from _write_ahead_log()
    else:
        yield from _connections()
        yield from _room()


def _room() -> Iterator[Finding]:
    """Whether PostgreSQL takes a megabyte: its disk may be another machine's. Nothing is left of what is written here."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TABLE tkr_doctor (filler text)")
            cursor.execute("INSERT INTO tkr_doctor VALUES (%s)", [os.urandom(ROOM_BYTES // 2).hex()])
            transaction.set_rollback(True)
    except DatabaseError as error:
        if not is_full(error):
            raise
        why = str(error).partition("\n")[0]
        yield red("database", f"It has no room: {why}.", "Make room on its disk; docs/operations.md says how.")


def _write_ahead_log() -> Iterator[Finding]:
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > WAL_BYTES:
        yield amber("database", f"Its write-ahead log has {size / 2**20:,.0f} MB.", "Start the server again.")


def _connections() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity")
        used, most = cursor.fetchone()
    if used > most * CONNECTIONS_SHARE:
        todo = "Raise max_connections of PostgreSQL, or lower DB_POOL_MIN and DB_POOL_OVERFLOW."
        yield amber("database", f"{used} of {most} connections are in use.", todo)


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        yield red("migrations", f"{len(plan)} are missing: {names}.", "manage.py upgrade")
    elif unknown := unknown_migrations(executor.loader.applied_migrations):
        todo = "Start that version, or manage.py restore a backup that was made before."
        yield red("migrations", f"{unknown[0]} is of a newer version.", todo)
    else:
        yield green("migrations", "All are applied.")


def backups() -> Iterator[Finding]:
    last = Backup.objects.exclude(state__in=(Backup.State.GONE, Backup.State.RUNNING)).first()
    if last is None:
        yield amber("backups", "There is none.", "manage.py backup --prove")
        return
    if last.state == Backup.State.FAILED:
        yield red("backups", f"The last one failed: {last.error}", "Mend that, then: manage.py backup --prove")
    proof = last_proof()
    if proof is None:
        yield amber("backups", "None was ever proven by restoring it.", "manage.py verifybackup")
    elif timezone.now() - proof.at > PROOF_AGE:
        yield amber("backups", f"The last proven restore is old: {proof}.", "manage.py backup --prove")
    else:
        yield green("backups", f"Last proven restore: {proof}.")
    if settings.BACKUP_AT is None:
        yield amber("backups", "None is made by itself.", "Set BACKUP_AT, such as BACKUP_AT=03:12.")


def secrets() -> Iterator[Finding]:
    unreadable = count_unreadable()
    if unreadable:
        todo = "Name their key in SECRET_KEY_FALLBACKS and run manage.py rotatesecrets, or enter them again."
        yield red("secrets", f"{unreadable} cannot be read: they were encrypted with another SECRET_KEY.", todo)
    else:
        yield green("secrets", "All can be read.")
    if settings.SECRET_KEY_FALLBACKS:
        todo = "manage.py rotatesecrets, then take the former keys away."
        yield amber("secrets", "Former keys are still accepted.", todo)
