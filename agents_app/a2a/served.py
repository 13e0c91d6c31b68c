"""Cards, catalogue and keys as they leave: bytes with an ETag, kept in memory for a few seconds.

A change (an agent switched off, a key rotated) is seen by everybody within `FRESH_SECONDS`, in every process, without news
between them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.http import http_date, parse_http_date_safe

from agents_app.a2a import cards, signing
from agents_app.a2a.legacy.cards import legacy_card
from agents_app.brains import brain_label
from agents_app.models import Agent
from agents_app.registry import UnknownAgent
from agents_app.threads import in_thread

FRESH_SECONDS = 3.0
MAX_BASES = 32  # the addresses this server answers to; whoever invents more pays with a slower answer
CATALOGUE, KEYS, DEFAULT, AGENT, LEGACY = "catalogue", "keys", "default", "agents/{}", "agents/{}/v0.3"


@dataclass(frozen=True, slots=True)
class Served:
    body: bytes
    etag: str  # strong; the same in every process
    last_modified: str  # HTTP date: when this process first had exactly this body

    def is_known_to(self, if_none_match: str = "", if_modified_since: str = "") -> bool:
        """Whether 304 is the answer. The date counts only without an ETag, as HTTP has it."""
        if if_none_match:
            known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
            return self.etag in known or "*" in known
        since = parse_http_date_safe(if_modified_since) if if_modified_since else None
        return since is not None and since >= (parse_http_date_safe(self.last_modified) or 0)


@dataclass(slots=True)
class _Shelf:
    served: Mapping[str, Served]
    until: float


_shelves: dict[str, _Shelf] = {}


async def served_card(agent_id: str | None, base: str) -> Served:
    """The card of an agent, of the default agent for None; signed when a key is in use. Raises `UnknownAgent`."""
    shelf = await _shelf(base)
    try:
        return shelf[DEFAULT if agent_id is None else AGENT.format(agent_id)]
    except KeyError:
        raise UnknownAgent(agent_id or "default") from None


async def served_legacy_card(agent_id: str, base: str) -> Served:
    """The card for callers of A2A 0.3. Raises `UnknownAgent`."""
    try:
        return (await _shelf(base))[LEGACY.format(agent_id)]
    except KeyError:
        raise UnknownAgent(agent_id) from None


async def served_catalogue(base: str) -> Served:
    return (await _shelf(base))[CATALOGUE]


async def served_keys(base: str) -> Served:
    """The JSON Web Key Set."""
    return (await _shelf(base))[KEYS]


async def find_extended_card(agent_id: str, base: str, user_name: str, tenant: str = "") -> dict[str, Any]:
    """For a caller who is known; not to be kept by any cache. Raises `UnknownAgent`."""
    return await in_thread(_extended_card, agent_id, base, user_name, tenant)


def forget() -> None:
    """Make everything anew at the next request, for tests."""
    _shelves.clear()


async def _shelf(base: str) -> Mapping[str, Served]:
    old, now = _shelves.get(base), time.monotonic()
    if old and now < old.until:
        return old.served
    if old:
        old.until = now + FRESH_SECONDS  # one caller renews; the others get what there is meanwhile
    served = await in_thread(_serve, base, old.served if old else {})
    if len(_shelves) >= MAX_BASES:
        _shelves.pop(min(_shelves, key=lambda each: _shelves[each].until))
    _shelves[base] = _Shelf(served, time.monotonic() + FRESH_SECONDS)
    return served


def _serve(base: str, old: Mapping[str, Served]) -> dict[str, Served]:
    agents = list(Agent.objects.served())
    sign = signing.card_signer(base)
    found: dict[str, Any] = {CATALOGUE: cards.catalogue(agents, base), KEYS: signing.jwks()}
    for place, agent in enumerate(agents):
        card = cards.agent_card(agent, base)
        found[LEGACY.format(agent.id)] = legacy_card(card, agent.id, base, is_default=place == 0)
        found[AGENT.format(agent.id)] = sign(card)
    if agents:
        found[DEFAULT] = found[AGENT.format(agents[0].id)]
    return {name: _served(value, old.get(name)) for name, value in found.items()}


def _served(value: Any, old: Served | None) -> Served:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    return old if old and old.etag == etag else Served(body, etag, http_date())


def _extended_card(agent_id: str, base: str, user_name: str, tenant: str) -> dict[str, Any]:
    agent = Agent.objects.served().filter(id=agent_id).first()
    if agent is None:
        raise UnknownAgent(agent_id)
    card = cards.extended_card(agent, base, user_name, brain_label(agent), tenant)
    return signing.card_signer(base)(card)
