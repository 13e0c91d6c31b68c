from __future__ import annotations

from accounts.actions.audit import note
from ops.actions.backups import note_proven
from ops.backups.stores import the_store
from ops.command import OperatorCommand, Report
from ops.upgrading import upgrade


class Command(OperatorCommand):
    requires_system_checks = "__all__"  # before anything is done
    help = (
        "Bring the data to this version: back up, prove the backup, migrate, check; and put everything back when something "
        "fails. Install the new version and stop the server first."
    )
    examples = ("", "--json")
    requires_migrations_checks = False

    def work(self) -> Report:
        upgraded = upgrade(the_store(), self.progress)
        note_proven(upgraded.backup)
        note("server.upgraded", applied=upgraded.applied, backup=upgraded.backup)
        return {"backup": upgraded.backup, "applied": upgraded.applied}

    def lines(self, report: Report) -> list[str]:
        applied = ", ".join(report["applied"]) or "no migration was missing"
        return [
            f"The data is of this version now: {applied}.",
            f"Before that it was backed up and proven as {report['backup']}.",
            "Next: manage.py serve, then manage.py postflight",
        ]
