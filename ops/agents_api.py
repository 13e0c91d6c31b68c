"""REST for operators: what agents work on, and the restart of what hangs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import ConfigDict, Field

from agents_app.actions.restarts import NoSuchRun, restart_agent
from agents_app.models import Agent
from agents_app.runtime.restarting import hung, running
from agents_app.threads import in_thread
from chat.api.authentication import StaffTokenAuth

router = Router(auth=[StaffTokenAuth()])


class RunOut(Schema):
    """A task that some process works on now."""

    task: UUID
    agent: str
    conversation: UUID
    created_at: datetime
    attempt: int
    silent_seconds: int = Field(description="Since it last said or saved something.")
    seems_to_hang: bool = Field(
        description="For longer than AGENTS_HUNG_SECONDS, and not because of an agent it asked."
    )


class RestartIn(Schema):
    model_config = ConfigDict(extra="forbid")

    task: UUID | None = Field(None, description="Only this one, however lively.")
    everything: bool = Field(False, description="Everything it works on, not only what seems to hang.")


class RestartOut(Schema):
    restarted: list[UUID] = Field(description="Tasks that begin anew from their last finished step.")


@router.get("/agents/running", response=list[RunOut], summary="List what agents work on")
async def list_running(request: HttpRequest, agent: str = "") -> list[dict[str, Any]]:
    """Of one agent or of all, those first that were silent for longest."""
    return await in_thread(_list, agent)


@router.post("/agents/{agent_id}/restart", response=RestartOut, summary="Restart what hangs of an agent")
async def restart(request: HttpRequest, agent_id: str, which: RestartIn) -> dict[str, Any]:
    """What runs is stopped, and the task begins anew from its last finished step, within seconds."""
    return {"restarted": await in_thread(_restart, agent_id, which)}


def _list(agent_id: str) -> list[dict[str, Any]]:
    hanging = set(hung().values_list("pk", flat=True))
    runs = running().filter(agent=agent_id) if agent_id else running()
    return [
        {
            "task": task.pk,
            "agent": task.agent_id,
            "conversation": task.context_id,
            "created_at": task.created_at,
            "attempt": task.attempts,
            "silent_seconds": task.silent_seconds,
            "seems_to_hang": task.pk in hanging,
        }
        for task in runs
    ]


def _restart(agent_id: str, which: RestartIn) -> list[UUID]:
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise HttpError(404, f"There is no agent {agent_id!r}.")
    try:
        return [task.pk for task in restart_agent(agent, which.task, everything=which.everything)]
    except NoSuchRun as gone:
        raise HttpError(404, str(gone)) from None
