"""How many tasks of one agent run at once, over all processes; and who goes first among those that wait.

A task of an agent with a limit is reserved before it is claimed: the agent's row is locked while those that run are
counted. A task that waits for one it delegated does not count, so agents that ask each other never wait in a ring.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from agents_app.models import PARKED, RUNNABLE, TERMINAL, Agent, Step, Task, Via
from agents_app.runtime.leases import free, lease_end

# Somebody waits for a delegated task already and holds a place meanwhile; people before programs.
PRIORITY = Case(
    When(parent__isnull=False, then=Value(20)),
    When(via=Via.CHAT, then=Value(10)),
    default=Value(0),
    output_field=IntegerField(),
)


def limit_of(agent: Agent) -> int:
    """0: none."""
    return settings.AGENTS_AT_ONCE if agent.at_once is None else agent.at_once


def reserve(task: Task, owner: str) -> bool:
    """Take a place of its agent for a task that is free. False: there is none, or somebody else took the task."""
    with transaction.atomic():
        agent = Agent.objects.select_for_update(no_key=True).get(id=task.agent_id)
        limit = limit_of(agent)
        if limit and _working(agent).exclude(id=task.id).count() >= limit:
            return False
        seen = Task.objects.filter(id=task.id, state__in=RUNNABLE, attempts=task.attempts, lease_owner=task.lease_owner)
        reserved = seen.filter(lease_until=task.lease_until).update(lease_owner=owner, lease_until=lease_end())
    return bool(reserved)


def find_waiting(agent: Agent) -> list[UUID]:
    """The tasks that may run in the places that are free now."""
    limit = limit_of(agent)
    places = limit - _working(agent).count() if limit else 0
    if places <= 0:
        return []
    waiting = free(Task.objects.filter(agent=agent)).order_by(PRIORITY.desc(), "id")
    return list(waiting.values_list("id", flat=True)[:places])


def full_agents() -> list[str]:
    """Whose every place is taken."""
    limited = Q(at_once__gt=0) | (Q(at_once=None) if settings.AGENTS_AT_ONCE else Q())
    agents = Agent.objects.filter(limited)
    return [agent.id for agent in agents if _working(agent).count() >= limit_of(agent)]


def waits_for_another() -> Exists:
    """Of a task: an agent that it asked has not ended."""
    waits = Step.objects.filter(task=OuterRef("id"), kind=Step.Kind.AGENT, finished_at=None, child__isnull=False)
    return Exists(waits.exclude(child__state__in=TERMINAL))


def _working(agent: Agent) -> QuerySet[Task]:
    held = Task.objects.runnable().filter(agent=agent, lease_until__gt=timezone.now())
    return held.exclude(lease_owner__in=("", PARKED)).exclude(waits_for_another())
