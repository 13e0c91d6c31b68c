from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from ops.actions.backups import prune_backups
from ops.backups.pruning import Keep
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = (
        "Delete old backups. The newest of each of the last days, weeks and months is kept, the newest of all, and the last "
        "one that was proven."
    )
    examples = ("--dry-run", "--days 7 --weeks 4 --months 12")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        for word in ("days", "weeks", "months"):
            default = getattr(settings, f"BACKUP_KEEP_{word.upper()}")
            text = f"How many {word} have a backup kept (BACKUP_KEEP_{word.upper()}, {default})."
            parser.add_argument(f"--{word}", type=int, default=default, help=text)
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be deleted.")

    def work(self, *, dry_run: bool, **keep: Any) -> Report:
        report = prune_backups(Keep(**keep), dry_run=dry_run)
        named = {what: [kept.name for kept in found] for what, found in report.items()}
        return {"dry_run": dry_run, **named, "freed_bytes": sum(kept.size for kept in report["deleted"])}

    def lines(self, report: Report) -> list[str]:
        done = "Would delete" if report["dry_run"] else "Deleted"
        summary = f"{done} {len(report['deleted'])} of {len(report['deleted']) + len(report['kept'])} backups, "
        return [summary + f"{report['freed_bytes'] / 2**20:,.1f} MB.", *(f"  {name}" for name in report["deleted"])]
