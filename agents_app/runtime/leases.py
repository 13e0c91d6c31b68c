"""Who may run a task: a lease in its row names its runner, and expires."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from agents_app.models import PARKED, Task
from agents_app.models.task import TaskQuerySet
from agents_app.runtime.owner import is_known_dead


def is_free(task: Task) -> bool:
    """Anybody may run it: never taken, its lease expired, or its runner is known to be dead."""
    if is_parked(task):
        return False
    expired = task.lease_until is None or task.lease_until < timezone.now()
    return not task.lease_owner or expired or is_known_dead(task.lease_owner)


def is_parked(task: Task) -> bool:
    return task.lease_owner == PARKED


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.AGENTS_LEASE_SECONDS)


def free(tasks: TaskQuerySet) -> TaskQuerySet:
    """Those that anybody may run now: `is_free`, and the first of their line."""
    nobodys = Q(lease_owner="") | Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    nobodys |= Q(lease_owner__in=_dead_owners())
    first = Q(parent__isnull=False) | ~Exists(earlier())
    return tasks.runnable().exclude(lease_owner=PARKED).filter(nobodys, first)


def earlier() -> TaskQuerySet:
    """In a query of tasks: those that go first in the line of one."""
    line = Task.objects.filter(context_id=OuterRef("context_id"), agent_id=OuterRef("agent_id"), parent=None)
    return line.runnable().filter(id__lt=OuterRef("id"))


def _dead_owners() -> list[str]:
    owners = Task.objects.runnable().exclude(lease_owner__in=("", PARKED)).values_list("lease_owner", flat=True)
    return [owner for owner in owners.order_by().distinct() if is_known_dead(owner)]
