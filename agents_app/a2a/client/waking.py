"""What waited for a remote agent goes on when it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from agents_app.a2a.client.cancelling import cancel_there
from agents_app.models import RemoteTask, Task, TaskState
from agents_app.runtime.journal import Entry, Refused
from agents_app.runtime.leases import is_parked
from agents_app.runtime.resubmission import resubmission
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

AT_ONCE = 200


async def wake_waiting(runtime: Runtime) -> None:
    for row in await in_thread(_find_ready):
        if row.task.state == TaskState.CANCELED and row.remote_task_id:
            await cancel_there(row.task_id)
        elif not is_parked(row.task):
            await in_thread(_forget_waiting, row)
        else:
            await _wake(runtime, row)


async def _wake(runtime: Runtime, row: RemoteTask) -> None:
    row.waiting_since = None
    fact, change = resubmission(row.task)
    entry = Entry(row.context_id, [fact], changes=[(row, ("waiting_since",))], tasks=[change])
    try:
        await runtime.journal.append(entry)
    except Refused:  # another process was faster, or it is over
        return
    runtime.queue.put(row.task_id, *await in_thread(_find_behind, row.task))


def _find_ready() -> list[RemoteTask]:
    """In the order in which they were asked, of agents that answer and are not on hold."""
    waiting = RemoteTask.objects.filter(waiting_since__isnull=False, task__agent__remote__down_since=None)
    ready = waiting.filter(task__agent__remote__pending_card__isnull=True)
    return list(ready.select_related("task").order_by("task_id")[:AT_ONCE])


def _find_behind(task: Task) -> list[UUID]:
    """What was said to the same agent in that conversation meanwhile."""
    line = Task.objects.filter(context_id=task.context_id, agent_id=task.agent_id, parent=None)
    return list(line.runnable().filter(id__gt=task.id).order_by("id").values_list("id", flat=True))


def _forget_waiting(row: RemoteTask) -> None:
    RemoteTask.objects.filter(pk=row.pk).update(waiting_since=None)
