from __future__ import annotations

from ninja import Router

from agents_app.brains import brain_label
from agents_app.threads import in_thread
from chat import access
from chat.api.authentication import ApiRequest
from chat.api.schemas import AgentOut

router = Router()


@router.get("/agents", response=list[AgentOut], summary="List the agents")
async def list_agents(request: ApiRequest) -> list[AgentOut]:
    return await in_thread(_agents)


def _agents() -> list[AgentOut]:
    return [AgentOut.of(agent, brain_label(agent)) for agent in access.list_agents()]
