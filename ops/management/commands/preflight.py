from __future__ import annotations

from argparse import ArgumentParser

from ops.actions.backups import back_up, prove, take_stock
from ops.command import Report
from ops.examination import data, deployment, machine
from ops.examination.command import ExaminationCommand
from ops.examination.findings import examine

LOOKS = (
    ("settings", deployment.deployment_settings),
    ("dependencies", deployment.dependencies),
    ("database", data.database),
    ("migrations", data.migrations),
    ("secrets", data.secrets),
    ("disk", machine.disks),
    ("backups", data.backups),
)


class Command(ExaminationCommand):
    help = (
        "What to see to before a new version serves: settings, known problems of dependencies, migrations, disk, and a "
        "backup that was proven."
    )
    examples = ("", "--backup", "--tests --strict")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--tests", action="store_true", help="Also run the tests; on no machine that serves people."
        )
        parser.add_argument("--backup", action="store_true", help="Make a backup first, and prove it.")

    def work(self, *, strict: bool, tests: bool, backup: bool) -> Report:
        if backup:
            prove(back_up(progress=self.progress), self.progress)
        take_stock()
        looks = (*LOOKS, ("tests", deployment.tests)) if tests else LOOKS
        return self.reported(examine(looks), strict)
