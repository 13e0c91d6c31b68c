"""What adding an agent would mean, before anything is kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from a2a.types.a2a_pb2 import AgentCard

from agents_app import outgoing
from agents_app.a2a.client.card_file import (
    CardFile,
    Interface,
    card_sha256,
    check_extensions,
    choose_interface,
    find_card,
    parse_card,
)
from agents_app.a2a.client.credentials import Scheme, list_schemes
from agents_app.a2a.client.errors import BadCard
from agents_app.a2a.signing import verify_card
from agents_app.models import RemoteAgent
from agents_app.registry import ID

MAX_NAME_CHARS = 120
MAX_DESCRIPTION_CHARS = 4_000


@dataclass(frozen=True)
class Preview:
    """A card that was fetched and checked."""

    url: str
    card: dict[str, Any]
    parsed: AgentCard
    sha256: str
    interface: Interface
    signature: RemoteAgent.Signature
    schemes: list[Scheme]

    @property
    def name(self) -> str:
        return " ".join(self.parsed.name.split())[:MAX_NAME_CHARS]

    @property
    def description(self) -> str:
        return self.parsed.description.strip()[:MAX_DESCRIPTION_CHARS]

    @property
    def agent_id(self) -> str:
        """A suggestion, made of the name."""
        return slug(self.name)

    @property
    def skills(self) -> list[dict[str, Any]]:
        """A2A AgentSkill objects."""
        return [
            {
                "id": skill.id,
                "name": skill.name or skill.id,
                "description": skill.description,
                "tags": list(skill.tags),
                "examples": list(skill.examples),
            }
            for skill in self.parsed.skills
        ]

    @property
    def host(self) -> str:
        """Where messages go; not always where the card is."""
        return urlsplit(self.interface.url).netloc or self.interface.url

    @property
    def card_host(self) -> str:
        return urlsplit(self.url).netloc


async def preview_remote_agent(url: str) -> Preview:
    """Fetch, check and verify the card behind a pasted address; nothing is kept. Raises `RemoteError`."""
    return await preview_of(await find_card(url))


async def preview_of(found: CardFile) -> Preview:
    """Raises `BadCard`."""
    card = parse_card(found.card)
    check_extensions(card)
    interface = choose_interface(card)
    await _check_address(interface)
    signature = await verify_card(found.card, found.url)
    return Preview(found.url, found.card, card, card_sha256(found.card), interface, signature, list_schemes(card))


def slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    return short if ID.fullmatch(short) else "agent"


async def _check_address(interface: Interface) -> None:
    """Say now what every call would say later."""
    try:
        host, port = host_and_port(interface)
        await outgoing.resolve(host, port)
    except outgoing.OutgoingError as error:
        raise BadCard(f"The agent is called at {interface.url}. {error}") from error


def host_and_port(interface: Interface) -> tuple[str, int]:
    """Raises `outgoing.BadUrl`. The address of a gRPC interface is `host:port`, though some write it with a scheme."""
    bare = interface.binding == "GRPC" and "://" not in interface.url
    scheme = "https://" if bare else ""
    url = outgoing.checked_url(re.sub(r"^grpcs?://", "https://", f"{scheme}{interface.url}"))
    return url.host, url.port or (80 if url.scheme == "http" else 443)
