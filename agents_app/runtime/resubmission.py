"""A task that waited, for a person or for something outside, goes on."""

from __future__ import annotations

from django.utils import timezone

from agents_app.models import INTERRUPTED, Task, TaskState
from agents_app.runtime.facts import status_fact
from agents_app.runtime.journal import Fact, Refused, TaskChange
from agents_app.runtime.leases import is_parked


class NotWaiting(Refused):
    """This task does not wait for anybody any more."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def resubmission(task: Task) -> tuple[Fact, TaskChange]:
    """What to commit so that the task may run again; put it into the queue afterwards. Its time begins anew."""

    def check(current: Task) -> None:
        if current.is_terminal or not (current.state in INTERRUPTED or is_parked(current)):
            raise NotWaiting

    budget = {name: value for name, value in task.budget.items() if name != "deadline"}
    fields = {"state": TaskState.SUBMITTED, "status_text": "", "attempts": 0, "budget": budget, "lease_owner": ""}
    return status_fact(task, TaskState.SUBMITTED), TaskChange(task.id, fields | {"updated_at": timezone.now()}, check)
