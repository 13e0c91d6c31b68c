"""The delegation chain of a request that another server passed on: for whom, through whom, and what is left for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from agents_app.a2a.errors import invalid
from agents_app.a2a.extensions import CHAIN

LONGEST = 32
MAX_NAME_CHARS = 120


def came_with(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """`chain` and `budget` of the task: what is left of the caller's budget, and never more than ours.

    Raises `InvalidParamsError`.
    """
    given = metadata.get(CHAIN)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise invalid("metadata", f"{CHAIN} must be an object")
    names = given.get("chain", [])
    if not isinstance(names, list) or len(names) > LONGEST or not all(isinstance(name, str) for name in names):
        raise invalid("metadata", f"chain of {CHAIN} must be a list of at most {LONGEST} names")
    budget: dict[str, Any] = {}
    if (hops := _number(given, "hops")) is not None:
        budget["hops"] = int(min(hops, settings.AGENTS_HOPS))
    if (tokens := _number(given, "tokens")) is not None:
        budget["tokens"] = int(min(tokens, settings.AGENTS_TURN_TOKENS))
    if (seconds := _number(given, "seconds")) is not None:
        deadline = timezone.now() + timedelta(seconds=min(seconds, settings.AGENTS_TURN_SECONDS))
        budget["deadline"] = deadline.isoformat()
    return {"chain": [name[:MAX_NAME_CHARS] for name in names], "budget": budget}


def _number(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise invalid("metadata", f"{name} of {CHAIN} must be a number that is not negative")
    return float(value)
