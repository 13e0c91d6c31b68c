from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from metrics.actions.pruning import Pruned, prune_samples

EXAMPLES = """\
examples:
  manage.py prunemetrics                 what the server does every night by itself
  manage.py prunemetrics --days 7        keep a week
  manage.py prunemetrics --json          for programs: {"removed": …, "thinned": …, …}

exit codes: 0 done, 1 the database failed, 2 wrong arguments. It may be stopped and begun again at any time.
"""


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page and every agent
    help = "Remove old samples of metrics, and thin those that are not so old. Nobody who writes waits for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EXAMPLES
        parser.add_argument(
            "--days", type=int, default=settings.METRICS_KEEP_DAYS, help="Keep so many days (METRICS_KEEP_DAYS)."
        )
        parser.add_argument(
            "--full-hours",
            type=int,
            default=settings.METRICS_FULL_HOURS,
            help="Keep every sample for so many hours (METRICS_FULL_HOURS).",
        )
        parser.add_argument("--json", action="store_true", help="Print the outcome as one JSON object.")

    def handle(self, *, days: int, full_hours: int, **options: Any) -> None:
        if days < 1 or full_hours < 1:
            raise CommandError("Write --days and --full-hours as whole numbers from 1.", returncode=2)
        begun = time.monotonic()
        try:
            pruned = prune_samples(days, full_hours, self._show if not options["json"] else None)
        except DatabaseError as error:
            raise CommandError(f"The database failed, what was done until then is done: {error}") from error
        seconds = time.monotonic() - begun
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(pruned), "seconds": round(seconds, 3)}))
        else:
            self.stdout.write(f"Removed {pruned.removed:,} samples and thinned {pruned.thinned:,} in {seconds:.1f} s.")

    def _show(self, pruned: Pruned) -> None:
        """On a terminal alone: a file needs no bar."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{pruned.removed:,} removed, {pruned.thinned:,} thinned …", ending="")
