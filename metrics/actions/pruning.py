"""Old samples: thinned to one in five minutes, then removed. In pieces of a few milliseconds: while one is worked on, nobody
else writes on SQLite."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Avg, Count, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from metrics.actions.processes import forget_dead_processes
from metrics.actions.samples import forget_old_figures
from metrics.models import Sample
from metrics.models.sample import THINNED_SECONDS
from metrics.registry import is_added_up

WISHED_SECONDS = 0.015  # for one piece of work: a machine that is suddenly busy may take several times as long
SMALLEST, LARGEST = 50, 10_000  # rows in one piece
MOST_GROWTH, MOST_SHRINKAGE = 1.25, 0.25  # from one piece to the next
REST = 2  # times as long as the piece took: who finds SQLite locked looks again after up to 25 ms
MOST_SERIES = 100  # in one condition
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
    with _writing_as_it_goes():
        work.remove_first(keep_from)
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
        self.rows = SMALLEST

    def remove_first(self, before: datetime) -> None:
        """As they lie in the table, which is nearly the order of their times: what goes together lies together, so few pages
        are written. Ends at the first place where nothing is old; what lies further behind is found by its name."""
        after = 0
        while last := _last_of(after, self.rows):
            if not self._delete(Sample.objects.filter(id__gt=after, id__lte=last, timestamp__lt=before)):
                return
            after = last

    def remove(self, name: str, before: datetime) -> None:
        old = Sample.objects.filter(name=name, timestamp__lt=before).order_by("timestamp")
        while ids := list(old.values_list("id", flat=True)[: self.rows]):
            self._delete(Sample.objects.filter(id__in=ids))

    def thin(self, name: str, before: datetime) -> None:
        """A slice of five minutes of one name at a time, and of that as many series as fit into a piece: a series of a slice
        is whole, so that none is thinned twice."""
        for begin in self._slices(name, before):
            full = Sample.objects.of(name, begin, begin + SLICE).filter(span__lt=THINNED_SECONDS)
            series: list[Any] = list(full.order_by().values("labels", "process").annotate(rows=Count("id")))
            for some in self._fitting(series):
                self._thin(full.filter(_any_of(some)), name, begin)

    def _thin(self, full: QuerySet[Sample], name: str, begin: datetime) -> None:
        rows = list(full.values_list("id", flat=True))
        averages = list(_averages(full, name, begin))
        with self._piece():
            Sample.objects.filter(id__in=rows).delete()
            Sample.objects.bulk_create(averages)
        self.pruned.thinned += len(rows)
        self._rest()

    def _fitting(self, series: list[Any]) -> Iterator[list[Any]]:
        """At least one at a time, and never more than SQLite takes in one condition."""
        while series:
            some = [series.pop()]
            rows = some[0]["rows"]
            while series and len(some) < MOST_SERIES and (rows := rows + series[-1]["rows"]) <= self.rows:
                some.append(series.pop())
            yield some

    def _delete(self, samples: QuerySet[Sample]) -> int:
        with self._piece():
            removed = samples.delete()[0]
        self.pruned.removed += removed
        self._rest()
        return removed

    def _slices(self, name: str, before: datetime) -> Iterator[datetime]:
        full = Sample.objects.filter(name=name, timestamp__lt=_floor(before), span__lt=THINNED_SECONDS)
        after = datetime.fromtimestamp(0, UTC)
        while at := full.filter(timestamp__gte=after).aggregate(at=Min("timestamp"))["at"]:
            yield _floor(at)
            after = _floor(at) + SLICE

    @contextmanager
    def _piece(self) -> Iterator[None]:
        """A transaction, and how long others were kept from writing by it. Waiting for its turn keeps nobody."""
        with transaction.atomic():
            begun = time.monotonic()
            yield
        self.took(time.monotonic() - begun)

    def took(self, seconds: float) -> None:
        self.pruned.longest_seconds = max(self.pruned.longest_seconds, seconds)
        fits = max(MOST_SHRINKAGE, min(MOST_GROWTH, WISHED_SECONDS / max(seconds, 0.001)))
        self.rows = max(SMALLEST, min(LARGEST, math.ceil(self.rows * fits)))
        self._last = seconds

    def _rest(self) -> None:
        """Others come in between."""
        time.sleep(REST * self._last)
        if self._progress:
            self._progress(self.pruned)


@contextmanager
def _writing_as_it_goes() -> Iterator[None]:
    """Else PostgreSQL leaves pages by the hundred megabyte to the system, and while a checkpoint brings those to the disk
    every commit waits. Whoever reads pushes others' pages out, too, so this is for more than the pieces."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET backend_flush_after = '256kB'")
        try:
            yield
        finally:
            cursor.execute("RESET backend_flush_after")


def _last_of(after: int, rows: int) -> int | None:
    """The id of the last of so many rows behind one."""
    return Sample.objects.filter(id__gt=after).order_by("id")[:rows].aggregate(last=Max("id"))["last"]


def _any_of(series: list[Any]) -> Q:
    return reduce(or_, (Q(labels=each["labels"], process=each["process"]) for each in series))


def _averages(full: QuerySet[Sample], name: str, begin: datetime) -> Iterator[Sample]:
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
