"""Rows of this app that must never disagree with the journal: written in its own transaction."""

from __future__ import annotations

from typing import Any

from django.db import connection

from agents_app.models import Event, EventType
from chat.models import Conversation, Participant


def project_messages(sender: Any, events: list[Event], **kwargs: Any) -> None:
    """A message moves its conversation to the top of everybody's list."""
    newest = {event.context_id: event for event in events if is_for_people(event)}
    if not newest:
        return
    convert = Conversation._meta.pk.get_db_prep_value
    rows = [(event, convert(context_id, connection)) for context_id, event in newest.items()]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {Conversation._meta.db_table} SET message_seq = %s WHERE id = %s",
            [(event.seq, context_id) for event, context_id in rows],
        )
        cursor.executemany(
            f"UPDATE {Participant._meta.db_table} SET active_at = %s WHERE conversation_id = %s",
            [(connection.ops.adapt_datetimefield_value(event.created_at), context_id) for event, context_id in rows],
        )


def is_for_people(event: Event) -> bool:
    return event.type == EventType.MESSAGE_CREATED and not event.data["inner"]
