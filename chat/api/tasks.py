from __future__ import annotations

from uuid import UUID

from ninja import Router

from accounts.models import User
from agents_app.actions.tasks import cancel_task, decide, find_decision
from agents_app.models import Message
from agents_app.runtime.brake import Choice
from agents_app.threads import in_thread
from chat import access
from chat.api.authentication import ApiRequest
from chat.api.schemas import Decision, TaskOut

router = Router()


@router.get("/tasks/{uuid:task_id}", response=TaskOut, summary="Read a task")
async def read_task(request: ApiRequest, task_id: UUID) -> TaskOut:
    return await in_thread(_shown, request.auth, task_id)


@router.post("/tasks/{uuid:task_id}/cancel", response=TaskOut, summary="Stop a task")
async def stop_task(request: ApiRequest, task_id: UUID) -> TaskOut:
    """With everything it delegated. A task that has ended already is a conflict (409)."""
    await cancel_task(await in_thread(access.get_task, request.auth, task_id))
    return await in_thread(_shown, request.auth, task_id)


@router.post("/tasks/{uuid:task_id}/decide", response=TaskOut, summary="Say how a task goes on")
async def decide_task(request: ApiRequest, task_id: UUID, change: Decision) -> TaskOut:
    """When its budget is used up: go on with a fresh one, answer with what is known, or end. A task whose `choices` are
    empty waits for no decision: that is a conflict (409)."""
    await decide(await in_thread(access.get_task, request.auth, task_id), change.choice)
    return await in_thread(_shown, request.auth, task_id)


def _shown(user: User, task_id: UUID) -> TaskOut:
    task = access.get_task(user, task_id)
    said = Message.objects.filter(task_id=task.id, role=Message.Role.AGENT).order_by("seq")
    answer = "\n\n".join(text for text in said.values_list("text", flat=True) if text)
    return TaskOut.of(task, answer, list(Choice) if find_decision(task) else [])
