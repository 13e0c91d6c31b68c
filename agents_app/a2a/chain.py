"""The delegation chain of a request that another server passed on: for whom, through whom, and what is left for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from agents_app.a2a.errors import invalid
from agents_app.a2a.extensions import CHAIN
from agents_app.runtime.budget import deadline_in
from agents_app.runtime.loops import THROUGH

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
    names, marks = _texts(given, "chain"), _texts(given, "agents")
    budget: dict[str, Any] = {THROUGH: [mark[:MAX_NAME_CHARS] for mark in marks]} if marks else {}
    if (hops := _number(given, "hops")) is not None:
        budget["hops"] = int(min(hops, settings.AGENTS_HOPS))
    if (tokens := _number(given, "tokens")) is not None:
        budget["tokens"] = int(min(tokens, settings.AGENTS_TURN_TOKENS))
    if (seconds := _number(given, "seconds")) is not None:
        budget["deadline"] = deadline_in(min(seconds, settings.AGENTS_TURN_SECONDS))
    return {"chain": [name[:MAX_NAME_CHARS] for name in names], "budget": budget}


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    texts = given.get(name, [])
    if not isinstance(texts, list) or len(texts) > LONGEST or not all(isinstance(text, str) for text in texts):
        raise invalid("metadata", f"{name} of {CHAIN} must be a list of at most {LONGEST} texts")
    return texts


def _number(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise invalid("metadata", f"{name} of {CHAIN} must be a number that is not negative")
    return float(value)
