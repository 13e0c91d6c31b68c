from __future__ import annotations

from argparse import ArgumentParser

from ops.actions.control import reset_sockets
from ops.command import OperatorCommand, Report
from ops.control.reports import outcome_lines, outcome_report


class Command(OperatorCommand):
    help = "Close browsers' WebSockets. Pages connect again by themselves and lose nothing."
    examples = ("", "--socket 7f00a1", "--person 0b0f…")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--socket", default="", help="Only this one, by its id in `wsstatus`.")
        parser.add_argument("--person", default="", help="Only those of this person, by their id.")

    def work(self, socket: str, person: str) -> Report:
        return outcome_report(lambda: reset_sockets(socket, person))

    def is_well(self, report: Report) -> bool:
        return not report["silent"]

    def lines(self, report: Report) -> list[str]:
        return outcome_lines(report, lambda told: f"{told['closed']} closed")
