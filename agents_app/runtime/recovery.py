"""Tasks whose runner died, and the leases of those that live."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from agents_app.models import PARKED, Task
from agents_app.runtime.owner import is_known_dead
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)

ADOPT_AT_ONCE = 500


class Recovery:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def keep_leases(self) -> None:
        """Renew the leases of what runs here, and stop what somebody elsewhere asked to stop."""
        running = self._runtime.queue.running()
        if not running:
            return
        for task_id in await in_thread(_renew, self._runtime.owner, running):
            self._runtime.queue.cancel(task_id)

    async def adopt_tasks(self) -> None:
        """Run what may run and has no runner: new since a crash, handed over, or left by a process that died."""
        running = set(self._runtime.queue.running())
        orphans = [task_id for task_id in await in_thread(find_orphans) if task_id not in running]
        if orphans:
            logger.info("Taking over %d tasks.", len(orphans), extra={"action": "tasks.adopted"})
            self._runtime.queue.put(*orphans)


def find_orphans() -> list[UUID]:
    tasks = Task.objects.runnable().exclude(lease_owner=PARKED).order_by("id")
    tasks = tasks.only("id", "lease_owner", "lease_until")[:ADOPT_AT_ONCE]
    return [task.id for task in tasks if is_free(task)]


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


def _renew(owner: str, running: list[UUID]) -> list[UUID]:
    mine = Task.objects.filter(id__in=running, lease_owner=owner)
    mine.update(lease_until=lease_end())
    return list(mine.filter(cancel_requested=True).values_list("id", flat=True))
