"""Old samples: thinned to one in five minutes, then removed. In small pieces, so that whoever writes never waits long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Avg, Max, Min, Sum
from django.utils import timezone

from metrics.actions.processes import forget_dead_processes
from metrics.actions.samples import forget_old_figures
from metrics.models import Sample
from metrics.models.sample import THINNED_SECONDS
from metrics.registry import is_added_up

WISHED_SECONDS = 0.03  # for one piece of work, during which SQLite lets nobody else write
SMALLEST, LARGEST = 200, 20_000  # rows in one piece
SLICE = timedelta(seconds=THINNED_SECONDS)
# What is bad when it is high, even for a moment, must not be averaged away.
WORST_COUNTS = ("tkr_event_loop_lag_seconds", "tkr_queue_age_seconds", "tkr_pool_waiting")


@dataclass
class Pruned:
    removed: int = 0
    thinned: int = 0
    longest_seconds: float = 0.0


Progress = Callable[[Pruned], None]


def prune_samples(days: int | None = None, hours: int | None = None, progress: Progress | None = None) -> Pruned:
    """Remove what is older than `days`, thin what is older than `hours`. May be stopped and begun again at any time."""
    now = timezone.now()
    keep_from = now - timedelta(days=settings.METRICS_KEEP_DAYS if days is None else days)
    full_from = now - timedelta(hours=settings.METRICS_FULL_HOURS if hours is None else hours)
    work = _Work(progress)
    for name in list_sampled_names():
        work.remove(name, keep_from)
        if full_from > keep_from:
            work.thin(name, full_from)
    forget_dead_processes()
    forget_old_figures()
    return work.pruned


def list_sampled_names() -> list[str]:
    """One hop through the index for each name, however many rows there are."""
    names: list[str] = []
    while name := Sample.objects.filter(name__gt=names[-1] if names else "").aggregate(name=Min("name"))["name"]:
        names.append(name)
    return names


class _Work:
    def __init__(self, progress: Progress | None) -> None:
        self.pruned = Pruned()
        self._progress = progress
        self._size = 1000

    def remove(self, name: str, before: datetime) -> None:
        old = Sample.objects.filter(name=name, timestamp__lt=before).order_by("timestamp")
        while ids := list(old.values_list("id", flat=True)[: self._size]):
            with self._timed(), transaction.atomic():
                self.pruned.removed += Sample.objects.filter(id__in=ids).delete()[0]
            self._rest()

    def thin(self, name: str, before: datetime) -> None:
        """A slice of five minutes of one name at a time; slices are whole, so that none is thinned twice."""
        for begin in self._slices(name, before):
            full = Sample.objects.of(name, begin, begin + SLICE).filter(span__lt=THINNED_SECONDS)
            rows = list(full.values_list("id", flat=True))
            averages = list(_averages(name, begin))
            with self._timed(), transaction.atomic():
                Sample.objects.filter(id__in=rows).delete()
                Sample.objects.bulk_create(averages)
            self.pruned.thinned += len(rows)
            self._rest()

    def _slices(self, name: str, before: datetime) -> Iterator[datetime]:
        full = Sample.objects.filter(name=name, timestamp__lt=_floor(before), span__lt=THINNED_SECONDS)
        after = datetime.fromtimestamp(0, UTC)
        while at := full.filter(timestamp__gte=after).aggregate(at=Min("timestamp"))["at"]:
            yield _floor(at)
            after = _floor(at) + SLICE

    def _timed(self) -> _Timed:
        return _Timed(self)

    def took(self, seconds: float) -> None:
        self.pruned.longest_seconds = max(self.pruned.longest_seconds, seconds)
        self._size = max(SMALLEST, min(LARGEST, round(self._size * min(2.0, WISHED_SECONDS / max(seconds, 0.001)))))
        self._last = seconds

    def _rest(self) -> None:
        """As long as the work took: others come in between."""
        time.sleep(self._last)
        if self._progress:
            self._progress(self.pruned)


class _Timed:
    def __init__(self, work: _Work) -> None:
        self._work = work

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._work.took(time.monotonic() - self._begun)


def _averages(name: str, begin: datetime) -> Iterator[Sample]:
    full = Sample.objects.of(name, begin, begin + SLICE).filter(span__lt=THINNED_SECONDS)
    how = Sum if is_added_up(name) else Max if name in WORST_COUNTS else Avg
    for row in full.order_by().values("labels", "process").annotate(average=how("value")):
        yield Sample(
            timestamp=begin,
            name=name,
            labels=row["labels"],
            process=row["process"],
            span=THINNED_SECONDS,
            value=row["average"],
        )


def _floor(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // THINNED_SECONDS * THINNED_SECONDS, UTC)
