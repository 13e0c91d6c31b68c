"""Brains in words for people."""

from __future__ import annotations

from agents_app import registry
from agents_app.brains.choice import brain_named, default_brain, default_name
from agents_app.brains.errors import BrainError
from agents_app.models import Agent


def brain_label(agent: Agent) -> str:
    """Which brain answers for an agent, for the page. May wait shortly for a server that offers models."""
    remote = getattr(agent, "remote", None)
    if remote is not None:
        return f"A2A agent at {remote.host}"
    local = registry.agents().get(agent.id)
    try:
        return brain_named(agent.model or (local.model if local else "") or default_name()).label
    except BrainError as error:
        return str(error)


def describe_default() -> str:
    """One line about the brain that answers when nobody chose another, for the start banner."""
    try:
        return default_brain().label
    except BrainError as error:
        return str(error)
