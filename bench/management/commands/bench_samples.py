from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from metrics.models import Sample

BATCH = 10_000
NAMES = 40
OLD = timedelta(days=31)


class Command(BaseCommand):
    help = "Write so many samples that are older than they are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("count", type=int)

    def handle(self, *, count: int, **_: Any) -> None:
        begin = timezone.now() - OLD - timedelta(seconds=10 * count / NAMES)
        for first in range(0, count, BATCH):
            Sample.objects.bulk_create(_sample(begin, number) for number in range(first, min(first + BATCH, count)))


def _sample(begin: Any, number: int) -> Sample:
    at = begin + timedelta(seconds=10 * (number // NAMES))
    labels = f'agent="agent-{number % 7}"'
    return Sample(name=f"tkr_bench_{number % NAMES}", labels=labels, process="web@bench:1", timestamp=at, value=1)
