"""Agent cards of A2A v1.0, as plain JSON.

A card has no empty field and none with the default value of its type: there are two ways to canonicalise a card before
its signature is checked, and they agree when nothing is there that one of them drops.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import Scope
from agents_app import base as agent_base
from agents_app import registry
from agents_app.a2a import extensions
from agents_app.models import Agent

PROTOCOL_VERSION = "1.0"
PRODUCT = "tkr-agent-chat"
BEARER = "bearer"
MTLS = "mtls"
TEXT = "text/plain"
NEEDED = (Scope.SEND, Scope.READ)  # to have a conversation; `Scope.PUSH` is for those who want more


def agent_card(agent: Agent, base: str, tenant: str = "") -> dict[str, Any]:
    """What everybody may know. `base` is the address of this server without a slash at its end."""
    return {
        "name": agent.name,
        "description": agent.description or agent.name,
        "version": settings.VERSION,
        "provider": {"organization": PRODUCT, "url": base},
        "documentationUrl": f"{base}/docs",
        "iconUrl": f"{base}{settings.STATIC_URL}favicon.svg",
        "supportedInterfaces": _interfaces(agent.id, base, tenant),
        "capabilities": {
            "streaming": True,
            "pushNotifications": True,
            "extendedAgentCard": True,
            "extensions": list(extensions.DECLARED),
        },
        "securitySchemes": _schemes(_bearer("A token from the settings page of this server.")),
        "securityRequirements": _requirements(base),
        "defaultInputModes": agent.input_modes or [TEXT],
        "defaultOutputModes": agent.output_modes or [TEXT],
        "skills": [_skill(skill, agent) for skill in agent.skills] or [_only_skill(agent)],
    }


def extended_card(agent: Agent, base: str, user_name: str, brain: str = "", tenant: str = "") -> dict[str, Any]:
    """What callers with a token are told besides: the model that answers (`brain`), the tools, and who they are."""
    card = agent_card(agent, base, tenant)
    if brain:
        card["description"] += f" Answers with: {brain}."
    card["securitySchemes"] = _schemes(_bearer(f"The token of this call acts for {user_name}."))
    local = registry.agents().get(agent.id)
    card["skills"] += [_tool_skill(tool) for tool in (local.tools if local else ())]
    return card


def catalogue(agents: Iterable[Agent], base: str) -> list[dict[str, str]]:
    return [
        {
            "id": agent.id,
            "name": agent.name,
            "description": agent.description or agent.name,
            "cardUrl": f"{base}/a2a/{agent.id}/.well-known/agent-card.json",
        }
        for agent in agents
    ]


def offers_anonymous(base: str) -> bool:
    """Whether a card that is read at this address says that no token is needed.

    With "loopback" that is true only for those who came by a loopback address; others would be sent away.
    """
    if settings.A2A_ANONYMOUS == "loopback":
        return _is_loopback(urlsplit(base).hostname or "")
    return bool(settings.A2A_ANONYMOUS == "on")


def _interfaces(agent_id: str, base: str, tenant: str) -> list[dict[str, str]]:
    """The first is the preferred one. Callers repeat `tenant` in every request; in gRPC it names the agent, too, because
    one port serves all of them."""
    urls = {"JSONRPC": f"{base}/a2a/{agent_id}/", "HTTP+JSON": f"{base}/a2a/{agent_id}/v1"}
    tenants = dict.fromkeys(urls, tenant)
    if settings.A2A_GRPC_URL:
        urls["GRPC"] = settings.A2A_GRPC_URL
        tenants["GRPC"] = f"{agent_id}/{tenant}" if tenant else agent_id
    return [
        {"url": url, "protocolBinding": binding, "protocolVersion": PROTOCOL_VERSION}
        | ({"tenant": tenants[binding]} if tenants[binding] else {})
        for binding, url in urls.items()
    ]


def _schemes(token: dict[str, Any]) -> dict[str, Any]:
    if not (settings.A2A_GRPC_URL and settings.A2A_GRPC_CLIENT_CA):
        return {BEARER: token}
    words = "Callers over gRPC show a certificate that the operator of this server knows, beside the token."
    return {BEARER: token, MTLS: {"mtlsSecurityScheme": {"description": words}}}


def _bearer(description: str) -> dict[str, Any]:
    return {"httpAuthSecurityScheme": {"scheme": "Bearer", "description": description}}


def _requirements(base: str) -> list[dict[str, Any]]:
    """Either of them is enough; the empty one asks for nothing."""
    token = {"schemes": {BEARER: {"list": [scope.value for scope in NEEDED]}}}
    found = [token, {}] if offers_anonymous(base) else [token]
    if settings.A2A_GRPC_URL and settings.A2A_GRPC_CLIENT_CA:  # over HTTP the token alone is enough
        found.append({"schemes": {**token["schemes"], MTLS: {}}})
    return found


def _skill(skill: dict[str, Any], agent: Agent) -> dict[str, Any]:
    """An A2A AgentSkill needs all of these, with at least one tag; authors of agents may leave them empty."""
    id = skill.get("id") or agent.id
    complete = skill | {
        "id": id,
        "name": skill.get("name") or id,
        "description": skill.get("description") or skill.get("name") or id,
        "tags": skill.get("tags") or [agent.id],
    }
    return {name: value for name, value in complete.items() if value}


def _only_skill(agent: Agent) -> dict[str, Any]:
    return _skill({"id": agent.id, "name": agent.name, "description": agent.description or agent.name}, agent)


def _tool_skill(tool: agent_base.Tool) -> dict[str, Any]:
    return {
        "id": f"tool-{tool.name}",
        "name": tool.name.replace("_", " ").capitalize(),
        "description": tool.description or tool.name,
        "tags": ["tool"],
    }


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
