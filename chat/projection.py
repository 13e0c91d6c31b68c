"""Rows of this app that must never disagree with the journal: written in its own transaction."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.access import find_first_admin
from agents_app.models import Event, EventType
from agents_app.runtime.rows import insert, new_row
from chat.models import Conversation, Participant
from chat.search import sqlite
from chat.titles import title_from

ADMIN_KNOWN_SECONDS = 10
SAID = (EventType.MESSAGE_CREATED, EventType.MESSAGE_CHANGED)


def project_events(sender: Any, events: list[Event], **kwargs: Any) -> None:
    newest: dict[UUID, Event] = {}
    opened: list[Event] = []
    said = 0
    for event in events:  # once, because of a stream's chunks there are many, and they are of no concern here
        if event.type in SAID:
            said += 1
            if is_for_people(event):
                newest[event.context_id] = event
        elif event.type == EventType.CONVERSATION_OPENED:
            opened.append(event)
    if opened:
        insert([row for event in opened for row in _room(event, newest.pop(event.context_id, event))])
    if newest:
        _project_messages(newest)
    if connection.vendor == "sqlite":
        sqlite.await_more(said)


def _room(event: Event, newest: Event) -> list[Model]:
    """A program began a conversation: its owner finds it in the list; what a guest began, the administrator does."""
    owner = UUID(event.data["owner"])
    conversation = new_row(
        Conversation,
        id=event.context_id,
        title=title_from(event.data["text"]),
        created_by_id=owner,
        via=event.data["via"],
        message_seq=newest.seq,
    )
    common: dict[str, Any] = {"conversation": conversation, "active_at": event.created_at}
    people = {owner} | (
        {_administrator(int(time.monotonic() // ADMIN_KNOWN_SECONDS))} if event.data["guest"] else set()
    )
    seats = [new_row(Participant, user_id=user_id, **common) for user_id in people if user_id]
    return [conversation, *seats, new_row(Participant, agent_id=event.data["agent"], **common)]


@lru_cache(maxsize=1)
def _administrator(moment: int) -> UUID | None:
    """Looked up once in a while, not for every conversation."""
    admin = find_first_admin()
    return admin.id if admin else None


def _project_messages(newest: dict[UUID, Event]) -> None:
    """A message moves its conversation to the top of everybody's list."""
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
