"""Who may not listen any more, whatever process took it from them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.contrib.sessions.models import Session
from django.utils import timezone

from chat.models import Conversation, Participant

Seat = tuple[UUID, UUID]  # of a person in a conversation


class LostAccess(NamedTuple):
    session_keys: set[str]
    seats: set[Seat]
    deleted: set[Seat]  # those whose conversation is gone


def find_lost_access(session_keys: set[str], seats: set[Seat]) -> LostAccess:
    signed_in = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    rooms, people = {room for room, _ in seats}, {person for _, person in seats}
    taken = Participant.objects.filter(conversation_id__in=rooms, user_id__in=people)
    lost = seats - set(taken.values_list("conversation_id", "user_id"))
    there = set(Conversation.objects.filter(id__in={room for room, _ in lost}).values_list("id", flat=True))
    return LostAccess(
        session_keys - set(signed_in.values_list("session_key", flat=True)),
        {seat for seat in lost if seat[0] in there},
        {seat for seat in lost if seat[0] not in there},
    )
