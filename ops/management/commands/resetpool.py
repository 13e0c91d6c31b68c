from __future__ import annotations

from argparse import ArgumentParser

from ops.actions.control import reset_pool
from ops.command import OperatorCommand, Report
from ops.control.reports import outcome_lines, outcome_report


class Command(OperatorCommand):
    help = "Replace the database connections of running processes. Those in use are closed when they come back."
    examples = ("", "--process worker@host:123")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--process", default="", help="Only this one, by its name in `poolstatus`.")

    def work(self, process: str) -> Report:
        return outcome_report(lambda: reset_pool(process))

    def is_well(self, report: Report) -> bool:
        return not report["silent"]

    def lines(self, report: Report) -> list[str]:
        return outcome_lines(
            report, lambda told: f"{told['connections']} connections" if told["reset"] else told["why"]
        )
