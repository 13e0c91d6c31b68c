"""What a request may cost: hops, tokens, and a deadline (ISO 8601)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone


def first_budget(given: dict[str, Any]) -> dict[str, Any]:
    """Its time begins with the first run, and again after a person has answered."""
    deadline = deadline_in(settings.AGENTS_TURN_SECONDS)
    return {"hops": settings.AGENTS_HOPS, "tokens": settings.AGENTS_TURN_TOKENS, "deadline": deadline} | given


def deadline_in(seconds: float) -> str:
    return (timezone.now() + timedelta(seconds=seconds)).isoformat()


def ends_at(budget: Mapping[str, Any]) -> float:
    """The deadline on this process's monotonic clock. To be asked for when it was just made or read: the clock that
    other processes know, too, may jump from then on."""
    left = (datetime.fromisoformat(budget["deadline"]) - timezone.now()).total_seconds()
    return time.monotonic() + min(max(left, 0), settings.AGENTS_TURN_SECONDS)
