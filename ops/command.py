"""What every command of an operator has: `--json`, exit codes, examples in its help, and a bar on a terminal."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any, ClassVar, Literal, NoReturn

from django.core.management import BaseCommand, CommandParser
from django.core.management.base import DjangoHelpFormatter

from ops.backups.refusals import Refused

REFUSED, WRONG_USE = 1, 2
BAR_CHARS = 30
BAR_SECONDS = 0.1

Report = dict[str, Any]


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Examples keep their lines."""


class OperatorCommand(BaseCommand):
    """`work` does it and returns what it found, as JSON may hold it. `lines` says the same to people.

    It ends with 0 when all is well; with 1 when it was refused, or `is_well` says no; and with 2 when it was called wrongly.
    """

    # They load every page and every agent, which takes longer than most commands.
    requires_system_checks: tuple[str, ...] | Literal["__all__"] = ()
    examples: ClassVar[tuple[str, ...]] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        examples = "\n".join(f"  manage.py {subcommand} {example}".rstrip() for example in self.examples)
        kwargs |= {"epilog": f"examples:\n{examples}"} if examples else {}
        return super().create_parser(prog_name, subcommand, formatter_class=_Help, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object, for scripts.")

    def handle(self, *, json: bool, **options: Any) -> None:
        self.as_json = json
        options = {name: value for name, value in options.items() if name not in COMMON_OPTIONS}
        try:
            report = self.work(**options)
        except Refused as refusal:
            self._end_refused(str(refusal))
            return
        well = self.is_well(report)
        self._show({"ok": well} | report, self.lines(report))
        if not well:
            sys.exit(REFUSED)

    def work(self, *args: Any, **options: Any) -> Report:
        raise NotImplementedError

    def lines(self, report: Report) -> list[str]:
        raise NotImplementedError

    def is_well(self, report: Report) -> bool:
        return True

    def ask(self, question: str) -> str:
        """Raises `Refused` where nobody can be asked."""
        if self.as_json or not sys.stdin.isatty():
            raise Refused("Nobody can be asked here: say --yes.")
        return input(question)

    def refuse_usage(self, why: str) -> NoReturn:
        """It was called wrongly, as argparse would say it."""
        self.stderr.write(why)
        sys.exit(WRONG_USE)

    def count(self, what: str, more: int) -> None:
        """For work of which nobody knows how much there is: how much is done, on a terminal."""
        self._counted = getattr(self, "_counted", 0) + more
        if not self.as_json and self.stderr.isatty():
            self.stderr.write(f"\r{self._counted:,} {what}", style_func=str, ending="")

    def progress(self, what: str, done: int, whole: int) -> None:
        """A bar on stderr, and only when somebody watches it. Not in the red of what stderr is else for."""
        if self.as_json or not self.stderr.isatty():
            return
        now = time.monotonic()
        if done >= whole or now - getattr(self, "_drawn", 0.0) >= BAR_SECONDS:
            self._drawn = now
            share = done / whole if whole else 1.0
            bar = "█" * round(share * BAR_CHARS)
            end = "\n" if done >= whole else ""
            self.stderr.write(f"\r{what:<24} {bar:<{BAR_CHARS}} {share:4.0%}", style_func=str, ending=end)

    def _end_refused(self, why: str) -> None:
        if self.as_json:
            self._show({"ok": False, "error": why}, [])
        else:
            self.stderr.write(why)
        sys.exit(REFUSED)

    def _show(self, report: Report, lines: list[str]) -> None:
        self.stdout.write(json.dumps(report, default=str) if self.as_json else "\n".join(lines))


COMMON_OPTIONS = {
    *("verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"),
    *("stdout", "stderr"),
}
