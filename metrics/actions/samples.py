from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from metrics.models import Figures, Sample
from metrics.registry import Figure

FRESH = timedelta(seconds=35)  # three samples: what is older is of a process that is gone


def save_samples(process: str, at: datetime, grown: Iterable[Figure], figures: Iterable[Figure]) -> None:
    """`grown`: rows for the table. `figures`: everything as it stands, for whoever scrapes another process."""
    rows = [
        Sample(timestamp=at, name=each.name, labels=each.labels, process=process, value=each.value) for each in grown
    ]
    with transaction.atomic():
        Sample.objects.bulk_create(rows)
        values = {"taken_at": at, "figures": [list(each) for each in figures]}
        if not Figures.objects.filter(process=process).update(**values):
            Figures.objects.update_or_create(process=process, defaults=values)


def forget_figures(process: str) -> None:
    """It ended."""
    Figures.objects.filter(process=process).delete()


def forget_old_figures() -> None:
    Figures.objects.filter(taken_at__lt=timezone.now() - timedelta(days=1)).delete()
