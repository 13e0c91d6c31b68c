from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from ninja import Query, Router
from ninja.errors import HttpError

from agents_app.threads import in_thread
from chat.api.authentication import ApiRequest, StaffTokenAuth
from metrics.api.schemas import MetricOut, PointOut, SeriesOut
from metrics.exposition import list_families
from metrics.measuring import fits
from metrics.models import Sample

router = Router(auth=StaffTokenAuth())

MOST_SAMPLES = 20_000


@router.get("/metrics", response=list[MetricOut], summary="List what is measured")
async def list_metrics(request: ApiRequest) -> list[MetricOut]:
    found = await in_thread(list_families)
    return [MetricOut(name=family.name, type=family.type, what=family.what) for family in found]


@router.get("/metrics/{str:name}", response=list[SeriesOut], summary="Read samples")
async def read_metric(
    request: ApiRequest,
    name: str,
    begin: datetime | None = None,
    end: datetime | None = None,
    labels: str = Query("", max_length=250, description='Only with these: `agent="chloe"`.'),
    process: str = Query("", max_length=120),
) -> list[SeriesOut]:
    """Of what is counted (`_total`, `_sum`, `_count`, `_bucket`) how much came since the sample before; else the value.
    Without `begin` and `end` the last hour. At most 20,000 samples: then ask for less time."""
    until = _aware(end) or timezone.now()
    since = _aware(begin) or until - timedelta(hours=1)
    return await in_thread(_read, name, since, until, labels, process)


def _aware(at: datetime | None) -> datetime | None:
    return timezone.make_aware(at) if at is not None and timezone.is_naive(at) else at


def _read(name: str, begin: datetime, end: datetime, labels: str, process: str) -> list[SeriesOut]:
    rows = Sample.objects.of(name, begin, end).order_by("timestamp")
    if process:
        rows = rows.filter(process=process)
    found = list(rows.values_list("labels", "process", "timestamp", "value")[: MOST_SAMPLES + 1])
    if len(found) > MOST_SAMPLES:
        raise HttpError(400, f"More than {MOST_SAMPLES:,} samples: ask for less time.")
    series: dict[tuple[str, str], list[PointOut]] = {}
    for of, by, at, value in found:
        if fits(of, labels):
            series.setdefault((of, by), []).append(PointOut(at=at, value=value))
    return [SeriesOut(labels=of, process=by, points=points) for (of, by), points in series.items()]
