"""Restart a task whose agent hangs. Its lease is taken away; whoever runs it notices when it renews its leases
(`recovery.py`), abandons that run, and the task begins anew from its last saved step wherever there is a place."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents_app.models import PARKED, Task, TaskState
from agents_app.runtime.entry import Entry, Refused, TaskChange
from agents_app.runtime.facts import status_fact
from agents_app.runtime.journal import Journal
from agents_app.runtime.limits import waits_for_another

SAID = "An operator restarts it."


class NotRunning(Refused):
    """This task does not run any more, or was restarted already."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def running() -> Any:
    """A queryset: what some process works on, those first that showed no life for longest."""
    held = Task.objects.runnable().filter(state=TaskState.WORKING).exclude(lease_owner__in=("", PARKED))
    return held.annotate(silent_since=Coalesce("alive_at", "updated_at")).order_by(F("silent_since"), "id")


def hung() -> Any:
    """Those silent for AGENTS_HUNG_SECONDS. Who waits for an agent that it asked is as silent as that one, and left out."""
    long_ago = timezone.now() - timedelta(seconds=settings.AGENTS_HUNG_SECONDS)
    return running().exclude(waits_for_another()).filter(silent_since__lt=long_ago)


def count_runs() -> dict[str, tuple[int, int]]:
    """By agent: how much it works on, and how much of that seems to hang."""
    at_work = Counter(running().values_list("agent_id", flat=True))
    silent = Counter(hung().values_list("agent_id", flat=True))
    return {agent_id: (count, silent[agent_id]) for agent_id, count in at_work.items()}


def restart(journal: Journal, task: Task) -> None:
    """The run that was seen, and no later one. Blocks. Raises `NotRunning`."""

    def check(current: Task) -> None:
        seen = (current.lease_owner, current.attempts) == (task.lease_owner, task.attempts)
        if not seen or current.state != TaskState.WORKING or current.lease_owner in ("", PARKED):
            raise NotRunning

    budget = {name: value for name, value in task.budget.items() if name != "deadline"}
    # The attempt does not count: AGENTS_MAX_ATTEMPTS is for what fails by itself. The run that is abandoned knows it is.
    fields: dict[str, Any] = {
        "lease_owner": "",
        "lease_until": None,
        "attempts": max(task.attempts - 1, 0),
        "budget": budget,
    }
    fields |= {"status_text": SAID, "updated_at": timezone.now()}
    facts = [status_fact(task, TaskState.WORKING, SAID)]
    journal.append_now(Entry(task.context_id, facts, tasks=[TaskChange(task.id, fields, check)]))
