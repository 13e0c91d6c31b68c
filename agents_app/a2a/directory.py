"""The agents that may be called from outside, kept in memory for a moment: every call needs one."""

from __future__ import annotations

import time

from agents_app.models import Agent
from agents_app.threads import in_thread

FRESH_SECONDS = 2.0

_agents: dict[str, Agent] = {}
_until = 0.0


async def find_agent(agent_id: str) -> Agent | None:
    """A local agent that is switched on."""
    return (await _served()).get(agent_id)


async def find_default_agent() -> Agent | None:
    return next(iter((await _served()).values()), None)


def forget() -> None:
    """Look anew, for tests."""
    global _until
    _until = 0.0


async def _served() -> dict[str, Agent]:
    global _agents, _until
    if time.monotonic() > _until:
        _agents = await in_thread(_load)
        _until = time.monotonic() + FRESH_SECONDS
    return _agents


def _load() -> dict[str, Agent]:
    return {agent.id: agent for agent in Agent.objects.served()}
