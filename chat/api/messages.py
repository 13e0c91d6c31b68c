from __future__ import annotations

from uuid import UUID

from ninja import Query, Router, Status

from accounts.models import User
from agents_app.ids import uuid7
from agents_app.models import Message
from agents_app.threads import in_thread
from chat import access
from chat.actions.messages import post_message
from chat.api.authentication import ApiRequest
from chat.api.limits import PAGE_SIZE, Limit
from chat.api.schemas import MessageOut, MessagesPage, NewMessage
from chat.pages import messages_page

router = Router()


@router.get("/conversations/{uuid:conversation_id}/messages", response=MessagesPage, summary="Read messages")
async def list_messages(
    request: ApiRequest, conversation_id: UUID, before: str = Query("", max_length=100), limit: Limit = PAGE_SIZE
) -> MessagesPage:
    """The newest ones, or those before a message's `seq`."""
    return await in_thread(_page, request.auth, conversation_id, before, limit)


@router.post("/conversations/{uuid:conversation_id}/messages", response={201: MessageOut}, summary="Post a message")
async def post(request: ApiRequest, conversation_id: UUID, change: NewMessage) -> Status:
    """Answers when the message is saved; its `tasks` are the agents at work on it."""
    conversation = await in_thread(access.get_conversation, request.auth, conversation_id)
    client_id = change.client_id or uuid7()
    message = await post_message(request.auth, conversation, client_id, change.text, change.attachments)
    return Status(201, (await in_thread(_shown, [message.id]))[0])


def _page(user: User, conversation_id: UUID, before: str, limit: int) -> MessagesPage:
    conversation = access.get_conversation(user, conversation_id)
    page = messages_page(access.list_messages(conversation), before, limit)
    return MessagesPage(messages=_shown(page.rows), before=page.before)


def _shown(ids: list[UUID]) -> list[MessageOut]:
    messages = Message.objects.filter(id__in=ids).select_related("user").prefetch_related("started").order_by("seq")
    return [MessageOut.of(message) for message in messages]
