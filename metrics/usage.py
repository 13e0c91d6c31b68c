"""What is not sampled because there would be too many labels: who used how much. Read from the messages themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, FloatField, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from accounts.models import User
from agents_app.models import Message
from chat.models import Conversation
from metrics.series import Range

CACHED_SECONDS = 30
MOST_PEOPLE = 10
UUID7_TIME_SHIFT = 80


class PersonUsage(NamedTuple):
    name: str
    messages: int
    tokens: float
    price: float


def totals() -> dict[str, int]:
    return cast("dict[str, int]", cache.get_or_set("metrics:totals", _totals, CACHED_SECONDS))


def people(of: Range) -> list[PersonUsage]:
    """Who caused the most: tasks have owners, and their messages say what was used."""
    found = cache.get_or_set(f"metrics:people:{of.key}", lambda: _people(of), CACHED_SECONDS)
    return cast("list[PersonUsage]", found)


def _totals() -> dict[str, int]:
    return {"people": User.objects.filter(is_active=True).count(), "conversations": Conversation.objects.count()}


def _people(of: Range) -> list[PersonUsage]:
    rows = (
        _since(of.begin)
        .filter(task__owner__isnull=False)
        .values("task__owner__username")
        .annotate(
            asked=Count("task", distinct=True), tokens=_sum("input_tokens") + _sum("output_tokens"), price=_sum("price")
        )
    )
    return [
        PersonUsage(row["task__owner__username"], row["asked"], row["tokens"], row["price"])
        for row in rows.order_by("-tokens", "-asked")[:MOST_PEOPLE]
    ]


def _since(begin: datetime) -> QuerySet[Message, Any]:
    """Ids begin with their time, so the primary key finds them."""
    first = UUID(int=int(begin.timestamp() * 1000) << UUID7_TIME_SHIFT)
    return Message.objects.filter(Q(id__gte=first), role=Message.Role.AGENT)


def _sum(name: str) -> Any:
    return Coalesce(Sum(Cast(KeyTextTransform(name, "usage"), FloatField())), 0.0)
