from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate

from agents_app.checks import AGENTS, check_agents

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime


class AgentsAppConfig(AppConfig):
    name = "agents_app"
    verbose_name = "Agents"

    def ready(self) -> None:
        from accounts.offered import offer_agents
        from agents_app import registry
        from agents_app.a2a.client.remote_agent import find_remote
        from agents_app.a2a.push.outbox import write_deliveries
        from agents_app.signals import events_committing, runtime_starting

        offer_agents(_agent_choices)
        checks.register(check_agents, AGENTS)
        events_committing.connect(write_deliveries, dispatch_uid="agents_app.push.outbox")
        runtime_starting.connect(_start_what_runs_beside, dispatch_uid="agents_app.beside")
        registry.add_resolver(find_remote)
        post_migrate.connect(_mirror_agents, sender=self)


def _start_what_runs_beside(runtime: Runtime, **_: Any) -> None:
    """Loaded here, because most commands end without agents that run."""
    from agents_app.a2a.certificate.desk import start_certifying
    from agents_app.a2a.client.cancelling import start_cancelling
    from agents_app.a2a.client.health import start_health
    from agents_app.a2a.push.sender import start_sender
    from agents_app.runtime.scheduler import start_schedules

    for start in (start_sender, start_health, start_cancelling, start_certifying, start_schedules):
        start(runtime)


def _agent_choices() -> list[tuple[str, str]]:
    from agents_app.models import Agent

    return list(Agent.objects.served().values_list("id", "name"))


def _mirror_agents(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    from agents_app.actions.agents import register_agents

    # `migrate agents_app zero` ends here too, without tables.
    if "agents_app_agent" in connections[using].introspection.table_names():
        register_agents()
