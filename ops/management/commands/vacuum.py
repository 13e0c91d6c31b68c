from __future__ import annotations

from argparse import ArgumentParser

from django.db import connection

from ops.backups.databases import the_database
from ops.backups.workplace import require_space
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = (
        "Give space back and let the database know its tables: VACUUM ANALYZE on PostgreSQL; ANALYZE on SQLite, where --full "
        "writes the whole file anew and needs the server to be stopped."
    )
    examples = ("", "--full")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--full", action="store_true", help="Also make the files as small as they can be.")

    def work(self, *, full: bool) -> Report:
        database = the_database()
        before = database.size()
        if full:
            database.require_nobody()
            self._require_space(before)
        with connection.cursor() as cursor:
            for statement in _statements(full):
                cursor.execute(statement)
        connection.close()
        return {"full": full, "bytes_before": before, "bytes_after": database.size()}

    def lines(self, report: Report) -> list[str]:
        before, after = report["bytes_before"] / 2**20, report["bytes_after"] / 2**20
        return [f"Done: {before:,.1f} MB before, {after:,.1f} MB now."]

    def _require_space(self, size: int) -> None:
        if connection.vendor == "sqlite":
            require_space(connection.settings_dict["NAME"].parent, size, otherwise="")


def _statements(full: bool) -> list[str]:
    if connection.vendor == "postgresql":
        return ["VACUUM (FULL, ANALYZE)" if full else "VACUUM (ANALYZE)"]
    checkpoint = f"PRAGMA wal_checkpoint({'TRUNCATE' if full else 'PASSIVE'})"
    return [*(["VACUUM"] if full else []), "ANALYZE", checkpoint]
