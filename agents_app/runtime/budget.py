"""What a request may cost: hops, tokens, and a deadline (ISO 8601)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone


def first_budget(given: dict[str, Any]) -> dict[str, Any]:
    """Its time begins with the first run, and again after a person has answered."""
    deadline = timezone.now() + timedelta(seconds=settings.AGENTS_TURN_SECONDS)
    start = {"hops": settings.AGENTS_HOPS, "tokens": settings.AGENTS_TURN_TOKENS, "deadline": deadline.isoformat()}
    return start | given
