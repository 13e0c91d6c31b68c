from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import transaction

from agents_app import base, registry
from agents_app.models import Agent


@transaction.atomic
def register_agents() -> list[Agent]:
    """Make the table say what the classes say. What operators decide stays, and so do remote agents."""
    rows = [
        Agent.objects.update_or_create(id=agent.id, defaults=_mirrored(agent) | {"position": position})[0]
        for position, agent in enumerate(registry.agents().values())
    ]
    gone = Agent.objects.filter(remote=None).exclude(id__in=[row.id for row in rows])
    gone.update(present=False, position=len(rows))
    return rows


def _mirrored(agent: base.Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "description": agent.description,
        "colour": agent.colour,
        "avatar": agent.avatar,
        "skills": [_skill(skill) for skill in agent.skills],
        "input_modes": list(agent.input_modes),
        "output_modes": list(agent.output_modes),
        "present": True,
    }


def _skill(skill: base.Skill) -> dict[str, Any]:
    """An A2A AgentSkill. Lists, because JSON has no tuples and a row must compare equal to what was written."""
    return asdict(skill) | {"tags": list(skill.tags), "examples": list(skill.examples)}
