from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate

from agents_app.checks import check_agents


class AgentsAppConfig(AppConfig):
    name = "agents_app"
    verbose_name = "Agents"

    def ready(self) -> None:
        from accounts.offered import offer_agents

        offer_agents(_agent_choices)
        checks.register(check_agents)
        post_migrate.connect(_mirror_agents, sender=self)


def _agent_choices() -> list[tuple[str, str]]:
    from agents_app.models import Agent

    return list(Agent.objects.served().values_list("id", "name"))


def _mirror_agents(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    from agents_app.actions.agents import register_agents

    # `migrate agents_app zero` ends here too, without tables.
    if "agents_app_agent" in connections[using].introspection.table_names():
        register_agents()
