from __future__ import annotations

from argparse import ArgumentParser

from ops.actions import backups
from ops.backups.proving import Proof, prove_backup
from ops.backups.refusals import Refused
from ops.backups.stores import DiskStore, find_place, the_store
from ops.command import OperatorCommand, Report
from ops.models import Backup


class Command(OperatorCommand):
    help = (
        "Prove a backup: restore it into a database of its own, compare every count and checksum with its manifest, run the "
        "checks, and take it away again. Nothing of the present data is touched, and the server may run."
    )
    examples = ("", "tkr-20261128-031200-482915-4f2a.backup", "/mnt/usb/tkr-20261128-031200-482915-4f2a.backup --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("backup", nargs="?", help="A name, or the path of a file; the newest, if left out.")

    def work(self, *, backup: str | None) -> Report:
        name, proof = self._proof(backup)
        tables = proof.manifest.tables
        return {
            "name": name,
            "made_at": proof.manifest.made_at,
            "messages": proof.manifest.messages,
            "tables": len(tables),
            "rows": sum(tables.values()),
            "files": proof.manifest.files,
            "missing_files": proof.missing_files,
        }

    def lines(self, report: Report) -> list[str]:
        proven = (
            f"{report['name']} is proven: {report['messages']:,} messages, {report['rows']:,} rows in "
            f"{report['tables']} tables, {report['files']:,} files."
        )
        missing = f"{report['missing_files']} attached files were missing already when it was made."
        return [proven, missing] if report["missing_files"] else [proven]

    def _proof(self, backup: str | None) -> tuple[str, Proof]:
        backups.take_stock()
        if backup is None:
            newest = Backup.objects.whole().first()
            if newest is None:
                raise Refused(f"There is no backup in {the_store().where}.")
            backup = newest.name
        store, name = find_place(backup)
        row = Backup.objects.filter(name=name).first()
        here = not isinstance(store, DiskStore) or store.where == the_store().where
        if row and here:
            return name, backups.prove(row, self.progress)
        return name, prove_backup(store, name, self.progress)
