"""Search in what was said in one's own conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.utils.safestring import SafeString

from agents_app.models import Message
from chat import access
from chat.models import Conversation
from chat.pages import Page
from chat.search import postgresql, sqlite
from chat.search.excerpts import excerpt
from chat.search.words import QUERY_MAX_CHARS, Query, read_query

if TYPE_CHECKING:
    from accounts.models import User

__all__ = ["QUERY_MAX_CHARS", "Found", "search"]

FEW_ROOMS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was looked for, in its conversation; `excerpt` is HTML."""

    message: Message
    conversation: Conversation
    excerpt: SafeString


def search(user: User, text: str, before: str, size: int) -> Page[Found]:
    """The newest messages with all these words. No words, no messages."""
    query = read_query(text)
    if not query.phrases:
        return Page([])
    rows = _find(user, query, before, size + 1)
    cursor = rows[size - 1][0] if len(rows) > size else ""
    return Page(_load(user, query, [message_id for _, message_id in rows[:size]]), cursor)


def _find(user: User, query: Query, before: str, size: int) -> list[tuple[str, UUID]]:
    seats = access.list_participations(user).values_list("conversation_id", "conversation__message_seq")
    rooms = dict(seats[: FEW_ROOMS + 1])
    kind = postgresql if connection.vendor == "postgresql" else sqlite
    if not rooms:
        return []
    return kind.find(user.pk, rooms if len(rooms) <= FEW_ROOMS else None, query, before, size)


def _load(user: User, query: Query, ids: list[UUID]) -> list[Found]:
    messages = Message.objects.select_related("agent", "user").in_bulk(ids)
    seats = access.list_participations(user).filter(conversation_id__in={row.context_id for row in messages.values()})
    rooms = {seat.conversation_id: seat.conversation for seat in seats}
    shown = [messages[id] for id in ids if id in messages and messages[id].context_id in rooms]
    return [Found(row, rooms[row.context_id], excerpt(row.text, query)) for row in shown]
