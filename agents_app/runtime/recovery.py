"""Tasks whose runner died, and the leases of those that live."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, Q

from agents_app.models import Task
from agents_app.runtime.delegators import wake_forgotten_delegators
from agents_app.runtime.leases import free, lease_end
from agents_app.runtime.limits import full_agents
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
        """Run what may run and has no runner: new since a crash, handed over, or left by a process that died; and what
        waits for a delegation that has ended, because whoever was to wake it died."""
        running = set(self._runtime.queue.running())
        orphans = await in_thread(find_orphans, self._runtime.queue.waiting())
        orphans = [task_id for task_id in orphans if task_id not in running]
        if orphans:
            logger.info("Taking over %d tasks.", len(orphans), extra={"action": "tasks.adopted"})
            self._runtime.queue.put(*orphans)
        await wake_forgotten_delegators(self._runtime)


def find_orphans(waiting: Q | None = None) -> list[UUID]:
    """What nobody runs and nobody will find; those that had a runner first."""
    orphans = free(Task.objects.exclude(waiting) if waiting else Task.objects.all())
    orphans = orphans.exclude(agent__in=full_agents()).order_by(F("lease_until").asc(nulls_last=True), "id")
    return list(orphans.values_list("id", flat=True)[:ADOPT_AT_ONCE])


def _renew(owner: str, running: list[UUID]) -> list[UUID]:
    mine = Task.objects.filter(id__in=running, lease_owner=owner)
    mine.update(lease_until=lease_end())
    return list(mine.filter(cancel_requested=True).values_list("id", flat=True))
