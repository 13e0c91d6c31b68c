"""How many messages somebody has not read, for each of a page of conversations."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from chat.models import Participant

UNREAD_MAX = 100  # "99+" is all that is shown of more
# The ORM counts a limited query, but not one that looks at the row outside.
UNREAD = f"""
    SELECT count(*) FROM (
        SELECT 1 FROM agents_app_message AS message
        WHERE message.context_id = chat_participant.conversation_id AND NOT message.inner
            AND message.seq > chat_participant.read_seq
        LIMIT {UNREAD_MAX}
    ) AS unread
"""


def count_unread(seats: Iterable[Participant]) -> dict[UUID, int]:
    """By the id of the seat; at most UNREAD_MAX, so that a million unread messages are counted as fast as any."""
    behind = [seat.pk for seat in seats if seat.conversation.message_seq > seat.read_seq]
    if not behind:
        return {}
    counted = Participant.objects.filter(pk__in=behind).annotate(unread=RawSQL(UNREAD, (), IntegerField()))
    return dict(counted.values_list("pk", "unread"))
