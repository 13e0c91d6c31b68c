from __future__ import annotations

from typing import Any

from ops.access import last_proof
from ops.actions.backups import take_stock
from ops.backups.stores import Kept, the_store
from ops.command import OperatorCommand, Report
from ops.models import Backup


class Command(OperatorCommand):
    help = "Show every backup there is, and what was proven of it."
    examples = ("", "--json")

    def work(self) -> Report:
        found = take_stock()
        rows = {row.name: row for row in Backup.objects.filter(name__in=[kept.name for kept in found])}
        return {
            "where": the_store().where,
            "backups": [_shown(kept, rows.get(kept.name)) for kept in found],
            "last_proof": str(last_proof() or ""),
        }

    def lines(self, report: Report) -> list[str]:
        if not report["backups"]:
            return [f"There is no backup in {report['where']}. Make one: manage.py backup"]
        last = f"Last proven restore: {report['last_proof'] or 'never. Prove one: manage.py verifybackup'}"
        return [report["where"], *map(_line, report["backups"]), last]


def _shown(kept: Kept, row: Backup | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": kept.name, "bytes": kept.size, "problem": kept.problem}
    if kept.manifest:
        told = kept.manifest
        shown |= {"made_at": told.made_at, "version": told.version, "database": told.database}
        shown |= {"messages": told.messages, "encrypted": told.encrypted}
    if row:
        shown |= {"proof": row.proof, "proven_at": row.proven_at and row.proven_at.isoformat(timespec="seconds")}
    return shown


def _line(shown: dict[str, Any]) -> str:
    start = f"  {shown['name']}  {shown['bytes'] / 2**20:>9,.1f} MB"
    if shown["problem"]:
        return f"{start}  {shown['problem']}"
    proof = f"proven {shown['proven_at']}" if shown.get("proven_at") else "not proven"
    return f"{start}  {shown['messages']:>11,} messages  version {shown['version']}  {shown['database']}  {proof}"
