"""What one person may use in a day (UTC): messages to agents, tokens, and money. 0 and nothing said: no limit."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from agents_app.models import Message, Task
from agents_app.runtime.journal import Refused
from agents_app.threads import in_thread

KNOWN_SECONDS = 5.0  # for which a person's limits are not looked up again
KNOWN_PEOPLE = 10_000


class AllowanceSpent(Refused):
    """The text says of what there is no more today, and when there is again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} It begins anew at midnight UTC. An administrator can raise it.")

    @property
    def seconds_left(self) -> float:
        return (_today() + timedelta(days=1) - timezone.now()).total_seconds()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of a day: limits, or what was used of them."""

    messages: int = 0
    tokens: int = 0
    price: float = 0.0  # USD; what models cost whose price is known


_known: OrderedDict[UUID, tuple[float, Allowance]] = OrderedDict()


async def require_allowance(user_id: UUID) -> None:
    """Raises `AllowanceSpent` when this person has used up what a day has for them."""
    limit = await _limit(user_id)
    if limit == Allowance():
        return
    used = await in_thread(used_today, user_id)
    if limit.messages and used.messages >= limit.messages:
        raise AllowanceSpent(f"You have sent all {limit.messages:,} messages of today.")
    if limit.tokens and used.tokens >= limit.tokens:
        raise AllowanceSpent(f"You have used all {limit.tokens:,} tokens of today.")
    if limit.price and used.price >= limit.price:
        raise AllowanceSpent(f"You have spent all ${limit.price:,.2f} of today.")


def used_today(user_id: UUID) -> Allowance:
    """Reads the database: as much as one person did today."""
    today = _today()
    mine = Task.objects.filter(owner_id=user_id, updated_at__gte=today)
    said = Message.objects.filter(task__in=mine, role=Message.Role.AGENT, created_at__gte=today).exclude(usage={})
    usages = list(said.values_list("usage", flat=True))
    return Allowance(
        messages=mine.filter(parent=None, created_at__gte=today).count(),
        tokens=sum(int(usage.get("input_tokens", 0)) + int(usage.get("output_tokens", 0)) for usage in usages),
        price=sum(float(usage.get("price") or 0) for usage in usages),
    )


def forget() -> None:
    """Look everybody's limits up anew, for tests."""
    _known.clear()


async def _limit(user_id: UUID) -> Allowance:
    known = _find_known(user_id)
    return await in_thread(look_up, user_id) if known is None else known


def look_up(user_id: UUID) -> Allowance:
    """What one person may use in a day. For whoever reads the database anyway, just before `require_allowance`: that need
    not go to a thread for it then, and wait behind everybody else who does."""
    known = _find_known(user_id)
    if known is not None:
        return known
    limit = _load_limit(user_id)
    _known[user_id] = (time.monotonic() + KNOWN_SECONDS, limit)
    while len(_known) > KNOWN_PEOPLE:
        _known.popitem(last=False)
    return limit


def _find_known(user_id: UUID) -> Allowance | None:
    until, limit = _known.get(user_id, (0.0, None))
    return limit if until > time.monotonic() else None


def _load_limit(user_id: UUID) -> Allowance:
    own = User.objects.filter(id=user_id).values_list("daily_messages", "daily_tokens", "daily_price").first()
    messages, tokens, price = own or (None, None, None)
    return Allowance(
        messages=_or(messages, settings.DAILY_MESSAGES),
        tokens=_or(tokens, settings.DAILY_TOKENS),
        price=float(_or(price, settings.DAILY_PRICE)),
    )


def _or(own: Any, otherwise: Any) -> Any:
    return otherwise if own is None else own


def _today() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
