"""A task that was stopped here is stopped there, whether it ran, waited for a person or was not delivered yet."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from agents_app.a2a.client.errors import Declined, Unavailable
from agents_app.a2a.client.line import open_line
from agents_app.models import Event, EventType, RemoteAgent, RemoteTask, TaskState
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

logger = logging.getLogger(__name__)


def start_cancelling(runtime: Runtime) -> None:
    stopped: asyncio.Queue[UUID] = asyncio.Queue()

    def hear(events: list[Event]) -> None:
        for event in events:
            if event.type == EventType.TASK_STATUS and event.data["state"] == TaskState.CANCELED and event.task_id:
                stopped.put_nowait(event.task_id)

    runtime.journal.subscribe(hear, everywhere=False)  # whoever stopped it tells
    runtime.beside(_cancel_all(stopped))


async def _cancel_all(stopped: asyncio.Queue[UUID]) -> None:
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_cancel(await stopped.get()))


async def _cancel(task_id: UUID) -> None:
    try:
        await cancel_there(task_id)
    except DatabaseError:
        logger.exception("A task could not be stopped elsewhere.", extra={"action": "remote.cancel_failed"})


async def cancel_there(task_id: UUID) -> None:
    """Once: what cannot be told now waits in the database until the agent answers (`waking.py`)."""
    found = await in_thread(_load, task_id)
    if found is None:
        return
    row, remote = found
    waiting_since = None
    try:
        async with open_line(remote, task_id=task_id) as line:
            await line.cancel_task(row.remote_task_id)
    except Unavailable:
        waiting_since = row.waiting_since or timezone.now()
    except Declined:
        pass  # it is over there, or it goes on regardless; here it is over
    if waiting_since != row.waiting_since:
        await in_thread(RemoteTask.objects.filter(task_id=task_id).update, waiting_since=waiting_since)


def _load(task_id: UUID) -> tuple[RemoteTask, RemoteAgent] | None:
    row = RemoteTask.objects.filter(task_id=task_id).exclude(remote_task_id="").first()
    remote = RemoteAgent.objects.select_related("agent").filter(agent__tasks=task_id).first() if row else None
    return (row, remote) if row and remote else None
