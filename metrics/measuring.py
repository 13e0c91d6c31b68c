"""The value of a rule right now, by the values of its label."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Max, Min, QuerySet, Sum
from django.utils import timezone

from metrics.models import AlertRule, Sample
from metrics.registry import is_added_up, read_labels

FRESH = timedelta(seconds=45)  # of a level: a process that is gone has none


def measure(rule: AlertRule) -> dict[str, float]:
    """Empty: nothing is measured, and so nothing is said."""
    now = timezone.now()
    if not is_added_up(rule.metric):
        return _levels(rule, now)
    counted = _counted(rule, rule.metric, rule.labels, now)
    if not rule.per_metric:
        return counted or {"": 0.0} if not rule.by else counted
    whole = _counted(rule, rule.per_metric, "", now)
    return {key: counted.get(key, 0.0) / total for key, total in whole.items() if total > 0 and total >= rule.least}


def _levels(rule: AlertRule, now: datetime) -> dict[str, float]:
    """Where several processes say something, the worst counts."""
    above = rule.comparison == AlertRule.Comparison.ABOVE
    recent = Sample.objects.of(rule.metric, now - FRESH, now + timedelta(seconds=1)).order_by()
    latest = recent.values("labels", "process").annotate(at=Max("timestamp"))
    found: dict[str, list[float]] = {}
    for row in latest:
        if fits(row["labels"], rule.labels):
            values = recent.filter(labels=row["labels"], process=row["process"], timestamp=row["at"])
            value = values.aggregate(worst=Max("value") if above else Min("value"))["worst"]
            found.setdefault(_key(row["labels"], rule.by), []).append(value)
    return _each(found, max if above else min)


def _counted(rule: AlertRule, metric: str, labels: str, now: datetime) -> dict[str, float]:
    begin = now - timedelta(seconds=rule.window_seconds)
    rows: QuerySet = Sample.objects.of(metric, begin, now + timedelta(seconds=1)).order_by()
    found: dict[str, list[float]] = {}
    for row in rows.values("labels").annotate(sum=Sum("value")):
        if fits(row["labels"], labels):
            found.setdefault(_key(row["labels"], rule.by), []).append(row["sum"])
    return _each(found, sum)


def fits(labels: str, wanted: str) -> bool:
    return read_labels(wanted).items() <= read_labels(labels).items()


def _key(labels: str, by: str) -> str:
    return read_labels(labels).get(by, "")[:120] if by else ""


def _each(found: dict[str, list[float]], how: Callable[[Iterable[float]], float]) -> dict[str, float]:
    return {key: how(values) for key, values in found.items()}
