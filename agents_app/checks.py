"""What must be right before anything starts."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from agents_app import registry

AGENTS = "agents"  # the tag of the check


def check_agents(**_: Any) -> list[CheckMessage]:
    try:
        registry.agents()
    except registry.BadAgent as bad:
        return [Error(str(bad), id="agents_app.E001")]
    return []
