"""The only way from an id on the wire to something of a caller's. What is somebody else's does not exist."""

from __future__ import annotations

from uuid import UUID

from a2a.utils.errors import TaskNotFoundError
from django.db.models import Q, QuerySet

from agents_app.a2a.caller import Caller
from agents_app.models import JournalHead, Task
from agents_app.threads import in_thread


async def get_task(task_id: str, agent_id: str, caller: Caller) -> Task:
    """Raises `TaskNotFoundError`."""
    id = as_uuid(task_id)
    task = await in_thread(list_tasks(agent_id, caller).filter(id=id).select_related("agent").first) if id else None
    if task is None:
        raise TaskNotFoundError("There is no such task here.", data={"metadata": {"taskId": task_id}})
    return task


def list_tasks(agent_id: str, caller: Caller) -> QuerySet[Task]:
    """A caller's tasks with one agent, in the tenant of the call."""
    return Task.objects.filter(agent_id=agent_id, owner_id=caller.user_id, tenant=caller.tenant)


def find_context(context_id: str, caller: Caller) -> JournalHead | None:
    """A caller's conversation, by the name they chose for it or by its id. Reads the database."""
    mine = JournalHead.objects.filter(owner_id=caller.user_id, tenant=caller.tenant)
    named = Q(name=context_id)
    id = as_uuid(context_id)
    return mine.filter(named | Q(context_id=id) if id else named).order_by("-name").first()


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
