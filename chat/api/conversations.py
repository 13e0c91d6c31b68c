from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from django.db.models import Prefetch
from django.http import StreamingHttpResponse
from ninja import Query, Router, Status

from accounts.models import User
from agents_app.threads import in_thread
from chat import access
from chat.actions.conversations import (
    create_conversation,
    delete_conversation,
    remove_participant,
    rename_conversation,
)
from chat.api.authentication import ApiRequest
from chat.api.limits import PAGE_SIZE, Limit
from chat.api.schemas import ConversationName, ConversationOut, ConversationsPage, NewConversation
from chat.export import export_response
from chat.models import Participant
from chat.pages import participations_page
from chat.unread import count_unread

router = Router()


@router.get("/conversations", response=ConversationsPage, summary="List your conversations")
async def list_conversations(
    request: ApiRequest, before: str = Query("", max_length=100), limit: Limit = PAGE_SIZE
) -> ConversationsPage:
    return await in_thread(_page, request.auth, before, limit)


@router.post("/conversations", response={201: ConversationOut}, summary="Open a conversation")
async def open_conversation(request: ApiRequest, change: NewConversation) -> Status:
    conversation = await create_conversation(request.auth, _once(change.agents), change.title)
    return Status(201, await in_thread(_shown, request.auth, conversation.id))


@router.get("/conversations/{uuid:conversation_id}", response=ConversationOut, summary="Read a conversation")
async def read_conversation(request: ApiRequest, conversation_id: UUID) -> ConversationOut:
    return await in_thread(_shown, request.auth, conversation_id)


@router.patch("/conversations/{uuid:conversation_id}", response=ConversationOut, summary="Rename a conversation")
async def name_conversation(request: ApiRequest, conversation_id: UUID, change: ConversationName) -> ConversationOut:
    conversation = await in_thread(access.get_conversation, request.auth, conversation_id)
    await rename_conversation(conversation, change.title)
    return await in_thread(_shown, request.auth, conversation_id)


@router.delete("/conversations/{uuid:conversation_id}", response={204: None}, summary="Delete a conversation")
async def remove_conversation(request: ApiRequest, conversation_id: UUID) -> Status:
    """For everybody in it, and for ever. Only who began it, and administrators; others leave it."""
    await delete_conversation(await in_thread(access.get_conversation_to_delete, request.auth, conversation_id))
    return Status(204, None)


@router.post("/conversations/{uuid:conversation_id}/leave", response={204: None}, summary="Leave a conversation")
async def leave_conversation(request: ApiRequest, conversation_id: UUID) -> Status:
    """It stays for the others."""
    seat = await in_thread(access.get_participation, request.auth, conversation_id)
    await remove_participant(seat.conversation, seat)
    return Status(204, None)


@router.get("/conversations/{uuid:conversation_id}/export", summary="Export a conversation")
async def export(
    request: ApiRequest, conversation_id: UUID, format: Literal["md", "json"] = "md"
) -> StreamingHttpResponse:
    """Everything people read in it, as Markdown or as JSON."""
    return export_response(await in_thread(access.get_conversation, request.auth, conversation_id), format)


def _once(agent_ids: list[str] | None) -> list[str] | None:
    return agent_ids if agent_ids is None else list(dict.fromkeys(agent_ids))


def _shown(user: User, conversation_id: UUID) -> ConversationOut:
    seat = access.get_participation(user, conversation_id)
    return _out(seat, access.list_participants(seat.conversation), count_unread([seat]))


def _out(seat: Participant, participants: Iterable[Participant], unread: dict[UUID, int]) -> ConversationOut:
    return ConversationOut.of(seat, list(participants), unread.get(seat.pk, 0))


def _page(user: User, before: str, limit: int) -> ConversationsPage:
    people = Participant.objects.select_related("agent", "user").order_by(
        "agent__position", "agent_id", "joined_at", "id"
    )
    seats = access.list_participations(user).prefetch_related(Prefetch("conversation__participants", people))
    page = participations_page(seats, before, limit)
    unread = count_unread(page.rows)
    shown = [_out(seat, seat.conversation.participants.all(), unread) for seat in page.rows]
    return ConversationsPage(conversations=shown, before=page.before)
