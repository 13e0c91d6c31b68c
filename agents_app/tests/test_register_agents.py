from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command

from agents_app import registry
from agents_app.actions.agents import register_agents
from agents_app.base import Agent as AgentClass
from agents_app.base import Skill
from agents_app.models import Agent

pytestmark = pytest.mark.django_db


class Gardener(AgentClass):
    id = "gardener"
    name = "Gardener"
    description = "Knows plants."
    colour = "#2f7d4f"
    skills = (Skill("prune", "Pruning", "When and how to cut.", ("roses",), ("When do I cut roses?",)),)


@pytest.fixture(autouse=True)
def gardener() -> Iterator[None]:
    registry.add(Gardener)
    yield
    registry.remove("gardener")


def test_it_works() -> None:
    register_agents()
    row = Agent.objects.get(id="gardener")
    assert (row.name, row.colour, row.present, row.enabled) == ("Gardener", "#2f7d4f", True, True)
    assert row.skills == [
        {
            "id": "prune",
            "name": "Pruning",
            "description": "When and how to cut.",
            "tags": ["roses"],
            "examples": ["When do I cut roses?"],
        }
    ]


def test_chloe_is_the_first_and_phil_the_second() -> None:
    register_agents()
    assert list(Agent.objects.values_list("id", flat=True))[:3] == ["chloe", "phil", "gardener"]


def test_what_an_operator_decided_stays() -> None:
    register_agents()
    Agent.objects.filter(id="gardener").update(enabled=False, model="ollama:llama3.2", name="Old name")
    register_agents()
    row = Agent.objects.get(id="gardener")
    assert (row.enabled, row.model, row.name) == (False, "ollama:llama3.2", "Gardener")


def test_an_agent_whose_class_is_gone_is_kept_but_not_offered() -> None:
    register_agents()
    registry.remove("gardener")
    register_agents()
    assert not Agent.objects.get(id="gardener").present
    assert "gardener" not in Agent.objects.enabled().values_list("id", flat=True)
    registry.add(Gardener)
    register_agents()
    assert Agent.objects.get(id="gardener").present


def test_migrating_registers_them() -> None:
    Agent.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Agent.objects.filter(id="gardener").exists()
