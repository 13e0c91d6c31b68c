from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand
from django.db import connection
from django.utils import timezone

NAMES = 40
OLD = timedelta(days=31)
EVERY = 10  # seconds
# As they come to lie in the table: all names of one moment, then all of the next.
COLUMNS = "INSERT INTO system_metrics (timestamp, name, labels, process, span, value) SELECT "
REST = """, 'tkr_bench_' || (i %% 40), 'agent="agent-' || (i %% 7) || '"', 'web@bench:1', 10, 1 FROM n"""
STATEMENTS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %s - 1) "
    + COLUMNS
    + "strftime('%%Y-%%m-%%d %%H:%%M:%%S', %s + 10 * (i / 40), 'unixepoch')"
    + REST,
    "postgresql": "WITH n(i) AS (SELECT generate_series(0, %s::bigint - 1)) "
    + COLUMNS
    + "to_timestamp(%s + 10 * (i / 40))"
    + REST,
}


class Command(BaseCommand):
    help = "Write so many samples that are older than they are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int)

    def handle(self, *, count: int, **_: Any) -> None:
        begin = timezone.now() - OLD - timedelta(seconds=EVERY * count / NAMES)
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS[connection.vendor], [count, int(begin.timestamp())])
            cursor.execute("ANALYZE system_metrics")
