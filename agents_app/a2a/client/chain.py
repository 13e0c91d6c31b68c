"""For whom a message is sent, through whom it came, and what is left for it: metadata of the extension `CHAIN`."""

from __future__ import annotations

from typing import Any

from agents_app.a2a.extensions import CHAIN
from agents_app.models import Agent
from agents_app.runtime.loops import THROUGH
from agents_app.runtime.turn import RunningTurn
from agents_app.threads import in_thread


async def chain_metadata(turn: RunningTurn) -> dict[str, Any]:
    names = await in_thread(_names, turn)
    left = {"hops": turn.hops_left, "seconds": int(turn.seconds_left()), "tokens": max(turn.tokens_left, 0)}
    return {CHAIN: {"chain": names, "agents": turn.task.budget.get(THROUGH, []), **left}}


def _names(turn: RunningTurn) -> list[str]:
    """The person first, then the agents that passed it on. A chain that came from another server begins with its person."""
    agents = Agent.objects.in_bulk(list(turn.chain))
    came_here = bool(turn.chain) and turn.chain[0] not in agents
    person = [str(turn.task.owner)] if turn.task.owner_id and not came_here else []
    return person + [agents[agent_id].name if agent_id in agents else agent_id for agent_id in turn.chain]
