from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from agents_app.threads import leave_pool
from ops.command import OperatorCommand, Report
from ops.examination.findings import Finding, as_report, in_lines


class ExaminationCommand(OperatorCommand):
    """Ends with 1 when something is red; with --strict also when something is amber."""

    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--strict", action="store_true", help="End with 1 also when something is amber.")

    def handle(self, **options: Any) -> None:
        if connection.connection is None:
            leave_pool()  # which would wait half a minute, for each look, for a database that is away
        super().handle(**options)

    def reported(self, found: list[Finding], strict: bool) -> Report:
        self.strict = strict
        return as_report(found)

    def is_well(self, report: Report) -> bool:
        counts = report["counts"]
        return not counts["red"] and not (self.strict and counts["amber"])

    def lines(self, report: Report) -> list[str]:
        return in_lines(report)
