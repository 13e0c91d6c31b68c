"""What a browser, or this process, has not heard yet: read from the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Prefetch

from agents_app.models import INTERRUPTED, RUNNABLE, Event, JournalHead, Message, Task
from agents_app.runtime.relay import Piece
from agents_app.threads import in_thread
from chat import protocol
from chat.loading import load_messages
from chat.models import Conversation, Participant
from chat.news import News, load_news
from chat.rendering import conversation_item_html

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

READ_AGAIN_SECONDS = 0.5
MISSED_AT_MOST = 500  # events; whoever missed more loads the conversation anew


class Missed:
    """What a browser that was away needs to be in step again."""

    def __init__(self, context_id: UUID, after: int | None) -> None:
        self.context_id = context_id
        self.seq = JournalHead.objects.filter(context_id=context_id).values_list("seq", flat=True).first() or 0
        start = self.seq if after is None else after
        self.too_much = self.seq - start > MISSED_AT_MOST or start > self.seq
        self.news = News([])
        if not self.too_much and start < self.seq:
            events = load_events(context_id, start, self.seq)
            self.too_much = len(events) < self.seq - start  # old ones are pruned
            self.news = News([]) if self.too_much else load_news(events)
        streaming = Message.objects.in_context(context_id).filter(state=Message.State.STREAMING)
        self.streaming = load_messages(list(streaming.order_by("seq").values_list("id", flat=True)))
        self.unfinished = list(
            Task.objects.filter(context_id=context_id, state__in=(*RUNNABLE, *INTERRUPTED)).select_related("remote")
        )


async def read(load: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """However long the database is away: what happened is told when it is back, and in its order."""
    while True:
        try:
            return await in_thread(load, *args, **kwargs)
        except (OperationalError, InterfaceError):
            logger.exception("News could not be read; trying again.", extra={"action": "news.retry"})
            await asyncio.sleep(READ_AGAIN_SECONDS)


def load_missed(context_id: UUID, after: int | None) -> Missed:
    return Missed(context_id, after)


def load_items(context_ids: set[UUID], online: set[UUID]) -> list[tuple[list[UUID], str]]:
    """For each conversation: who of its people is online, and the frame for them."""
    people = Prefetch("participants", Participant.objects.select_related("agent").order_by("agent__position"))
    items = []
    for conversation in Conversation.objects.filter(id__in=context_ids).prefetch_related(people):
        here = [p.user_id for p in conversation.participants.all() if p.user_id in online]
        if here:
            html = conversation_item_html(conversation)
            items.append((here, protocol.encode("conversation.touched", id=conversation.id, html=html)))
    return items


def streaming_ids(messages: Iterable[Message]) -> list[UUID]:
    return [message.id for message in messages if message.state == Message.State.STREAMING]


def find_head(context_id: UUID) -> int:
    return find_heads([context_id]).get(context_id, 0)


def find_heads(context_ids: Iterable[UUID]) -> dict[UUID, int]:
    """The last number of each journal."""
    return dict(JournalHead.objects.filter(context_id__in=list(context_ids)).values_list("context_id", "seq"))


def load_events(context_id: UUID, after: int, upto: int) -> list[Event]:
    return list(Event.objects.filter(context_id=context_id, seq__gt=after, seq__lte=upto).order_by("seq"))


def load_saved_text(message_ids: list[UUID]) -> list[Piece]:
    """What is saved of messages that stream, each as one piece."""
    streaming = Message.objects.filter(id__in=message_ids, state=Message.State.STREAMING)
    return [
        Piece(context_id, id, 0, text) for context_id, id, text in streaming.values_list("context_id", "id", "text")
    ]


def find_moved(user_ids: set[UUID], since: datetime) -> dict[UUID, datetime]:
    """Conversations of these people in which something was said since then, and when it was last."""
    seats = Participant.objects.filter(user_id__in=user_ids, active_at__gt=since)
    return dict(seats.values_list("conversation_id", "active_at"))
