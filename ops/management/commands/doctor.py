from __future__ import annotations

from ops.command import Report
from ops.examination import data, machine, running
from ops.examination.command import ExaminationCommand
from ops.examination.findings import examine

LOOKS = (
    ("database", data.database),
    ("migrations", data.migrations),
    ("redis", running.redis),
    ("processes", running.processes),
    ("queue", running.queue),
    ("schedules", running.schedules),
    ("disk", machine.disks),
    ("clock", machine.clock),
    ("permissions", machine.permissions),
    ("certificates", machine.certificates),
    ("signing keys", running.signing_keys),
    ("secrets", data.secrets),
    ("brains", running.brains),
    ("agents", running.agents),
    ("backups", data.backups),
)


class Command(ExaminationCommand):
    help = "Look at everything an operator would: green, amber or red, each with what to do."
    examples = ("", "--strict", "--json")

    def work(self, *, strict: bool) -> Report:
        return self.reported(examine(LOOKS), strict)
