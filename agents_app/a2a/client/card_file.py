"""Agent cards of others: found, read, checked, compared. v1.0 and v0.3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx
from a2a.client.card_resolver import parse_agent_card
from a2a.types.a2a_pb2 import AgentCard, AgentInterface
from google.protobuf.json_format import ParseError
from packaging.version import InvalidVersion, Version

from agents_app import outgoing
from agents_app.a2a.client.errors import BadCard, RemoteError, Unavailable
from agents_app.a2a.extensions import CHAIN, RESUMABLE

WELL_KNOWN = ("/.well-known/agent-card.json", "/.well-known/agent.json")  # the second: before v0.3.0
MAX_CARD_BYTES = 512 * 1024
BINDINGS = ("JSONRPC", "HTTP+JSON", "GRPC")
VERSIONS = ("1.0", "0.3")
UNDERSTOOD = (CHAIN, RESUMABLE)


@dataclass(frozen=True, slots=True)
class CardFile:
    url: str
    card: dict[str, Any]  # as it was served


@dataclass(frozen=True, slots=True)
class Interface:
    """Where and how an agent is called."""

    url: str
    binding: str
    version: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two cards at one place; empty text: nothing stands there."""

    path: str
    before: str
    after: str


async def find_card(url: str) -> CardFile:
    """The card behind what a person pasted: its own address, or the one it stands under. Raises `RemoteError`."""
    problems: list[RemoteError] = []
    for candidate in _candidates(url.strip()):
        try:
            return await fetch_card(candidate)
        except Unavailable:  # the next address is on the same machine
            raise
        except BadCard as problem:
            problems.append(problem)
    raise problems[0]


async def fetch_card(url: str) -> CardFile:
    """The card at this very address. Raises `BadCard`, or `Unavailable` when nobody answers there."""
    try:
        fetched = await outgoing.fetch(url, max_bytes=MAX_CARD_BYTES, accept="application/json")
    except (outgoing.Unreachable, outgoing.TooSlow, outgoing.UnknownHost) as error:
        raise Unavailable(str(error)) from error
    except outgoing.OutgoingError as error:
        raise BadCard(str(error)) from error
    if fetched.status >= 500:
        raise Unavailable(f"{httpx.URL(url).host} answered with an error (HTTP {fetched.status}).")
    if fetched.status != 200:
        raise BadCard(f"There is no agent card at {url} (HTTP {fetched.status}).")
    return CardFile(fetched.url, _read(fetched.body, url))


def parse_card(card: dict[str, Any]) -> AgentCard:
    """The SDK's form of a card of either version. Raises `BadCard`."""
    try:
        parsed = parse_agent_card(deepcopy(card))
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadCard(f"This is not an agent card: {str(error)[:300]}") from error
    if not parsed.name.strip():
        raise BadCard("This card has no name, so it is not an agent card.")
    if not parsed.supported_interfaces:
        raise BadCard(f"The card of {parsed.name} does not say where the agent is called.")
    return parsed


def choose_interface(card: AgentCard) -> Interface:
    """The first in the card's own order that this server speaks. Raises `BadCard`."""
    for offered in card.supported_interfaces:
        version = _major_minor(offered.protocol_version or "1.0")
        if offered.protocol_binding in BINDINGS and version in VERSIONS and offered.url:
            return Interface(offered.url, offered.protocol_binding, version, offered.tenant)
    offers = ", ".join(f"{found.protocol_binding} {found.protocol_version}" for found in card.supported_interfaces)
    raise BadCard(f"{card.name} is called by {offers}. This server speaks {', '.join(BINDINGS)} in A2A 1.0 and 0.3.")


def keep_binding(card: AgentCard, binding: str) -> None:
    """Leave the card no interface of another binding; empty: all stay. Raises `BadCard`."""
    offered = [one for one in card.supported_interfaces if not binding or one.protocol_binding == binding]
    if not offered:
        names = ", ".join(dict.fromkeys(one.protocol_binding for one in card.supported_interfaces))
        raise BadCard(f"{card.name} does not speak {binding}. It speaks {names}.")
    kept = [AgentInterface.FromString(one.SerializeToString()) for one in offered]
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(kept)


def check_extensions(card: AgentCard) -> None:
    """Raises `BadCard` when the agent insists on an extension nobody here knows."""
    missing = [found.uri for found in card.capabilities.extensions if found.required and found.uri not in UNDERSTOOD]
    if missing:
        raise BadCard(f"{card.name} requires an extension that this server does not know: {', '.join(missing)}.")


def card_sha256(card: dict[str, Any]) -> str:
    """Of what the card says, however it is written down and by whomever it is signed."""
    bare = {name: value for name, value in card.items() if name != "signatures"}
    return hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def difference(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    old, new = (dict(_leaves(card)) for card in (before, after))
    paths = sorted(old.keys() | new.keys())
    return [Change(path, old.get(path, ""), new.get(path, "")) for path in paths if old.get(path) != new.get(path)]


def _candidates(url: str) -> list[str]:
    url = url if "://" in url else f"https://{url}"
    base, _, _ = url.partition("#")
    if _path_of(base).endswith(".json"):
        return [base]
    root = base.partition("?")[0].rstrip("/")
    return [f"{root}{path}" for path in WELL_KNOWN] + [base]


def _path_of(url: str) -> str:
    try:
        return outgoing.checked_url(url).path
    except outgoing.BadUrl as bad:
        raise BadCard(str(bad)) from bad


def _read(body: bytes, url: str) -> dict[str, Any]:
    try:
        card = json.loads(body)
    except (ValueError, RecursionError):
        raise BadCard(f"What is at {url} is not JSON, so it is not an agent card.") from None
    if not isinstance(card, dict):
        raise BadCard(f"What is at {url} is not an agent card.")
    if any("\x00" in text for _, text in _leaves(card)):
        raise BadCard("This card holds a character that cannot be saved.")
    return card


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a card by its path, as text. What a card's author signs is no content."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if path or name != "signatures":
                yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _major_minor(version: str) -> str:
    try:
        parsed = Version(version)
    except InvalidVersion:
        return version
    return f"{parsed.major}.{parsed.minor}"
