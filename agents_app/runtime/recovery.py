"""Tasks whose runner died, and the leases of those that live."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

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
        """Renew the leases of what runs here, stop what somebody elsewhere asked to stop, and abandon the runs that
        have lost their task: restarted, stopped in spite of its agent, or taken while this process stood still."""
        queue = self._runtime.queue
        running, turns = queue.running(), queue.turns()
        if not running:
            return
        alive = {turn.task_id for turn in turns if turn.take_sign_of_life()}
        found = await in_thread(_renew, self._runtime.owner, running, alive)
        for turn in turns:
            if turn.task_id in found and turn.has_lost(found[turn.task_id]):
                queue.abandon(turn)
        for task in found.values():
            if task.cancel_requested and task.lease_owner == self._runtime.owner:
                queue.cancel(task.id)

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


def _renew(owner: str, running: list[UUID], alive: set[UUID]) -> dict[UUID, Task]:
    """What is left of the rows of those that run. Who was alive is noted in the same stroke."""
    mine = Task.objects.filter(lease_owner=owner)
    mine.filter(id__in=set(running) - alive).update(lease_until=lease_end())
    mine.filter(id__in=alive).update(lease_until=lease_end(), alive_at=timezone.now())
    fields = ("state", "attempts", "lease_owner", "cancel_requested")
    return Task.objects.only("id", *fields).in_bulk(running)
