"""Samples as charts and tables need them: in slots of time, by one label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Avg, F, Max, Sum
from django.utils import timezone

from metrics.epoch import Epoch
from metrics.measuring import fits
from metrics.models import Sample
from metrics.registry import read_labels


@dataclass(frozen=True)
class Range:
    """The last so many seconds, in slots."""

    key: str
    name: str
    seconds: int
    step: int
    end: datetime = field(default_factory=timezone.now)

    @property
    def begin(self) -> datetime:
        return datetime.fromtimestamp(self.first_slot * self.step, UTC)

    @property
    def first_slot(self) -> int:
        return int((self.end - timedelta(seconds=self.seconds)).timestamp()) // self.step + 1

    @property
    def slots(self) -> int:
        return int(self.end.timestamp()) // self.step - self.first_slot + 1

    def time_of(self, slot: int) -> datetime:
        return datetime.fromtimestamp((self.first_slot + slot) * self.step, UTC)


RANGES = {
    "1h": ("1 hour", 3600, 60),
    "24h": ("24 hours", 86_400, 1200),
    "7d": ("7 days", 7 * 86_400, 7200),
    "30d": ("30 days", 30 * 86_400, 28_800),
}

Values = list[float | None]


@dataclass
class Series:
    name: str
    values: Values

    @property
    def total(self) -> float:
        return sum(value or 0 for value in self.values)

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def find_range(key: str) -> Range:
    """The last day, for a key that is none."""
    key = key if key in RANGES else "24h"
    return Range(key, *RANGES[key])


def added_up(name: str, of: Range, by: str = "", wanted: str = "", process: str = "") -> list[Series]:
    """How much was counted in each slot; the largest first."""
    found: dict[str, Values] = {}
    for slot, labels, value in _rows(name, of, Sum, process=process):
        if fits(labels, wanted):
            values = found.setdefault(read_labels(labels).get(by, "") if by else name, [0.0] * of.slots)
            values[slot] = (values[slot] or 0.0) + value
    return sorted((Series(key, values) for key, values in found.items()), key=lambda each: -each.total)


def levels(
    name: str,
    of: Range,
    across: Callable[[Iterable[float]], float] = sum,
    by: str = "",
    wanted: str = "",
    process: str = "",
) -> list[Series]:
    """The level in each slot; of several processes their sum, or the worst with `across=max`."""
    found: dict[str, list[list[float]]] = {}
    for slot, labels, value in _rows(name, of, Max if across is max else Avg, "process", process=process):
        if not fits(labels, wanted):
            continue
        slots = found.setdefault(read_labels(labels).get(by, "") if by else name, [[] for _ in range(of.slots)])
        slots[slot].append(value)
    return [
        Series(key, [across(values) if values else None for values in slots]) for key, slots in sorted(found.items())
    ]


def quantile(name: str, of: Range, share: float, by: str = "", key: str = "") -> tuple[Values, float | None]:
    """So large is what `share` of all stay below: in each slot, and in all of the time."""
    slots: list[dict[float, float]] = [{} for _ in range(of.slots)]
    for slot, labels, count in _rows(f"{name}_bucket", of, Sum):
        read = read_labels(labels)
        if not by or read.get(by) == key:
            bound = float(read["le"])
            slots[slot][bound] = slots[slot].get(bound, 0.0) + count
    whole: dict[float, float] = {}
    for each in slots:
        for bound, count in each.items():
            whole[bound] = whole.get(bound, 0.0) + count
    return [_quantile(each, share) for each in slots], _quantile(whole, share)


def _quantile(buckets: dict[float, float], share: float) -> float | None:
    """Evenly spread inside a bucket, as Prometheus has it."""
    total = sum(buckets.values())
    if total <= 0:
        return None
    below, lower = 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if below + count >= share * total:
            return lower if bound == float("inf") else lower + (bound - lower) * (share * total - below) / count
        below, lower = below + count, bound
    return lower


def _rows(
    name: str, of: Range, how: type[Aggregate], *also: str, process: str = ""
) -> Iterator[tuple[int, str, float]]:
    rows: Any = Sample.objects.of(name, of.begin, of.end + timedelta(seconds=1)).order_by()
    if process:
        rows = rows.filter(process=process)
    rows = rows.annotate(slot=Epoch(F("timestamp")) / of.step).values("slot", "labels", *also).annotate(v=how("value"))
    for row in rows:
        slot = row["slot"] - of.first_slot
        if 0 <= slot < of.slots:
            yield slot, row["labels"], row["v"]
