from __future__ import annotations

from uuid import UUID

from ninja import Router, Status

from accounts.access import find_person
from agents_app.models import Agent
from agents_app.threads import in_thread
from chat import access
from chat.actions.conversations import add_agent, add_person, remove_participant
from chat.api.authentication import ApiRequest
from chat.api.schemas import NewParticipant, ParticipantOut

router = Router()


@router.post(
    "/conversations/{uuid:conversation_id}/participants", response={201: ParticipantOut}, summary="Add somebody"
)
async def add_participant(request: ApiRequest, conversation_id: UUID, change: NewParticipant) -> Status:
    """An agent by its id, or a person by their username. A person reads everything said before."""
    conversation = await in_thread(access.get_conversation, request.auth, conversation_id)
    if change.agent is not None:
        added = await add_agent(conversation, await in_thread(_get_agent, change.agent))
    else:
        user = await in_thread(find_person, change.username or "")
        if user is None:
            raise access.NotFound(f'Nobody here is called "{change.username}".')
        added = await add_person(conversation, user)
    return Status(201, ParticipantOut.of(added))


@router.delete(
    "/conversations/{uuid:conversation_id}/participants/{uuid:participant_id}",
    response={204: None},
    summary="Remove somebody",
)
async def take_out_participant(request: ApiRequest, conversation_id: UUID, participant_id: UUID) -> Status:
    """Removing yourself is leaving."""
    participant = await in_thread(access.get_participant, request.auth, participant_id)
    if participant.conversation_id != conversation_id:
        raise access.NotFound("Nobody like that takes part in this conversation.")
    await remove_participant(participant.conversation, participant)
    return Status(204, None)


def _get_agent(agent_id: str) -> Agent:
    agent = access.list_agents().filter(id=agent_id).first()
    if agent is None:
        raise access.NotFound(f'There is no agent "{agent_id}" here.')
    return agent
