"""For whom an agent acts: a person or a program, then the agents that passed the work on, then the agent itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from agents_app.models import Agent, Task, Via


@dataclass(frozen=True, slots=True)
class Link:
    """One of a chain. `person`: their id, so that the page can say "You" to them."""

    name: str
    agent_id: str = ""
    person: UUID | None = None


def chain_of(task: Task, names: Mapping[str, str]) -> list[Link]:
    """Outermost first. The task's agent and owner must be loaded; `names` come from `agent_names`."""
    passed_on = [Link(names.get(agent_id, agent_id), agent_id) for agent_id in task.chain]
    return [_origin(task), *passed_on, Link(task.agent.name, task.agent_id)]


def agent_names(tasks: Iterable[Task]) -> dict[str, str]:
    """Names for the ids in the chains of these tasks."""
    ids = {agent_id for task in tasks for agent_id in task.chain}
    return dict(Agent.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}


def _origin(task: Task) -> Link:
    if task.owner is not None:
        return Link(task.owner.name, person=task.owner.pk)
    return Link("A2A caller" if task.via == Via.A2A else "Somebody")
