from __future__ import annotations

from argparse import ArgumentParser

from ops.access import get_backup
from ops.actions import backups
from ops.backups.stores import the_store
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = "Back up the database and every attached file while the server serves. To BACKUP_DIR, or to BACKUP_S3_URL."
    examples = ("", "--prove", "--json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--prove", action="store_true", help="Restore it beside the present data then, and compare."
        )
        parser.add_argument("--name", help="One that was announced, such as by the admin.")

    def work(self, *, prove: bool, name: str | None) -> Report:
        backup = backups.back_up(get_backup(name) if name else None, self.progress)
        report = {
            "name": backup.name,
            "where": the_store().where,
            "bytes": backup.size,
            "messages": backup.messages,
            "encrypted": backup.encrypted,
            "seconds": round(backup.seconds or 0, 3),
            "proven": False,
        }
        if prove:
            backups.prove(backup, self.progress)
            report |= {"proven": True, "proof_seconds": round(backup.proof_seconds or 0, 3)}
        return report

    def lines(self, report: Report) -> list[str]:
        encrypted = ", encrypted" if report["encrypted"] else ""
        made = (
            f"Backed up {report['messages']:,} messages to {report['where']}/{report['name']} "
            f"({report['bytes'] / 2**20:,.1f} MB{encrypted}, {report['seconds']:.1f} s)."
        )
        return [made, f"Proven in {report['proof_seconds']:.1f} s."] if report["proven"] else [made]
