"""What is true of the whole server, read from the database and the disk every ten seconds by one process.

Another app adds its own in `AppConfig.ready`: `readings.add(Reading("tkr_backup_age_seconds", "…", read_age))`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from agents_app.models import PARKED, PushDelivery, RemoteAgent, Task
from metrics.models import Process
from metrics.registry import Figure, write_labels

logger = logging.getLogger(__name__)

Values = float | dict[tuple[str, ...], float] | None


@dataclass(frozen=True)
class Reading:
    """`read` returns a value, values by their labels, or None when there is nothing to say."""

    name: str
    what: str
    read: Callable[[], Values]
    labels: tuple[str, ...] = ()


_readings: dict[str, Reading] = {}


def add(reading: Reading) -> None:
    _readings[reading.name] = reading


def all_readings() -> list[Reading]:
    return list(_readings.values())


def read_server() -> list[Figure]:
    return [figure for reading in all_readings() for figure in _read(reading)]


def _read(reading: Reading) -> Iterable[Figure]:
    try:
        values = reading.read()
    except (DatabaseError, OSError):
        logger.exception("A metric could not be read.", extra={"action": "metric.unread", "metric": reading.name})
        return
    if isinstance(values, dict):
        for labels, value in values.items():
            yield Figure(reading.name, write_labels(dict(zip(reading.labels, labels, strict=True))), float(value))
    elif values is not None:
        yield Figure(reading.name, "", float(values))


def _waiting() -> Q:
    """Nobody runs it, and it waits for nothing outside."""
    free = Q(lease_owner="") | Q(lease_until__lt=timezone.now())
    return free & ~Q(lease_owner=PARKED)


def queue_depth() -> float:
    return Task.objects.runnable().filter(_waiting()).count()


def queue_age() -> float:
    return _age(Task.objects.runnable().filter(_waiting()).aggregate(at=Min("updated_at"))["at"])


def open_tasks() -> dict[tuple[str, ...], float]:
    return {(state,): count for state, count in Task.objects.unfinished().values_list("state").annotate(Count("id"))}


def processes() -> dict[tuple[str, ...], float]:
    found = dict(Process.objects.alive().order_by().values_list("kind").annotate(Count("id")))
    return {(kind,): found.get(kind, 0) for kind in Process.Kind.values}


def workers() -> float:
    return Process.objects.alive().filter(runs_agents=True).count()


def agents_up() -> dict[tuple[str, ...], float]:
    return {
        (agent,): float(down is None)
        for agent, down in RemoteAgent.objects.filter(agent__enabled=True).values_list("agent_id", "down_since")
    }


def pushes_waiting() -> float:
    return PushDelivery.objects.filter(state=PushDelivery.State.WAITING).count()


def disk_free() -> float:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return usage.free / usage.total


def database_bytes() -> float:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return float(cursor.fetchone()[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return float(cursor.fetchone()[0])


def _age(at: datetime | None) -> float:
    return max(0.0, (timezone.now() - at).total_seconds()) if at else 0.0


for _reading in (
    Reading("tkr_queue_tasks", "Tasks that wait for somebody who runs them.", queue_depth),
    Reading("tkr_queue_age_seconds", "How long the oldest of them has waited.", queue_age),
    Reading("tkr_tasks_open", "Tasks that have not ended, by state.", open_tasks, ("state",)),
    Reading("tkr_processes", "Processes that are alive, by kind.", processes, ("kind",)),
    Reading("tkr_workers", "Processes that are alive and run agents.", workers),
    Reading("tkr_agent_up", "1: this remote agent answers; 0: it does not.", agents_up, ("agent",)),
    Reading("tkr_push_waiting", "Push notifications that wait to be sent.", pushes_waiting),
    Reading("tkr_disk_free_ratio", "Free part of the disk that holds DATA_DIR.", disk_free),
    Reading("tkr_database_bytes", "Size of the database.", database_bytes),
):
    add(_reading)
