"""Agent cards of 0.3, made from those of 1.0."""

from __future__ import annotations

from typing import Any

from a2a.compat.v0_3 import conversions
from a2a.types import AgentCard
from django.conf import settings

from agents_app.a2a.protojson import to_message

PROTOCOL_VERSION = "0.3.0"


def legacy_card(card: dict[str, Any], agent_id: str, base: str, *, is_default: bool) -> dict[str, Any]:
    """Without a signature: what was signed is the card of 1.0."""
    named = with_legacy_interfaces(card, agent_id, base, is_default=is_default)
    unsigned = {name: value for name, value in named.items() if name != "signatures"}
    legacy = conversions.to_compat_agent_card(to_message(unsigned, AgentCard()))
    return legacy.model_dump(mode="json", by_alias=True, exclude_none=True)


def with_legacy_interfaces(card: dict[str, Any], agent_id: str, base: str, *, is_default: bool) -> dict[str, Any]:
    """The card of 1.0 with addresses of 0.3. Callers of 0.3 name no agent in gRPC, so they reach the default one."""
    urls = {"JSONRPC": f"{base}/a2a/{agent_id}/", "HTTP+JSON": f"{base}/a2a/{agent_id}"}
    if settings.A2A_GRPC_URL and is_default:
        urls["GRPC"] = settings.A2A_GRPC_URL
    interfaces = [
        {"url": url, "protocolBinding": binding, "protocolVersion": PROTOCOL_VERSION} for binding, url in urls.items()
    ]
    return card | {"supportedInterfaces": interfaces}
