"""Who else can be asked. Read from the table, so that what an operator switched off is not offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from agents_app.base import Skill
from agents_app.models import Agent
from agents_app.threads import in_thread


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another agent, as far as one that may ask it has to know it."""

    id: str
    name: str
    description: str
    skills: tuple[Skill, ...] = ()


async def list_neighbours(agent_id: str, *, without: Sequence[str] = ()) -> list[Neighbour]:
    """Agents that can be asked. `without`: those who wait for this one's answer."""
    return await in_thread(_list_neighbours, {agent_id, *without})


def _list_neighbours(hidden: set[str]) -> list[Neighbour]:
    return [
        Neighbour(row.id, row.name, row.description, tuple(_skill(skill) for skill in row.skills))
        for row in Agent.objects.enabled().filter(~Q(id__in=hidden))
    ]


def _skill(json: dict[str, object]) -> Skill:
    def words(name: str) -> tuple[str, ...]:
        values = json.get(name)
        return tuple(str(value) for value in values) if isinstance(values, list) else ()

    def text(name: str) -> str:
        return str(json.get(name, ""))

    return Skill(text("id"), text("name"), text("description"), words("tags"), words("examples"))
