"""Which language model answers for an agent.

1. what an operator chose for the agent (admin), else what the agent's class says
2. AGENT_MODEL
3. a provider whose key is set: Anthropic, OpenAI or a server that speaks its language, Google
4. an Ollama that answers at OLLAMA_URL
5. the embedded brain
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass

from django.conf import settings
from pydantic_ai.models import Model

from agents_app import registry
from agents_app.brains import probe, providers
from agents_app.brains.embedded.model import EmbeddedModel
from agents_app.models import Agent, newest_override
from agents_app.threads import in_thread

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Brain:
    model: Model
    label: str  # what the page shows: "Claude Sonnet 5.5 · Anthropic"
    provider: str  # who is to blame when it fails

    @property
    def name(self) -> str:
        """For the record of what was used."""
        return self.model.model_name


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an operator decided about how an agent thinks; empty: what its class says."""

    model: str = ""
    prompt: str = ""


def read_choice(agent_id: str) -> Chosen:
    """One query, as each `think` begins: what is changed holds from the next one on, in every process."""
    found = Agent.objects.filter(id=agent_id).values_list("model", newest_override()).first()
    return Chosen(found[0], found[1] or "") if found else Chosen()


async def choose_brain(agent_id: str, chosen: Chosen | None = None) -> Brain:
    """Raises `BrainError` for a model that nobody knows."""
    agent = registry.agents().get(agent_id)
    if chosen is None:
        chosen = await in_thread(read_choice, agent_id)
    name = chosen.model or (agent.model if agent else "")
    return await asyncio.to_thread(lambda: brain_named(name or default_name()))


def default_brain() -> Brain:
    """For an agent that nobody chose a model for."""
    return brain_named(default_name())


def default_name() -> str:
    """Steps 2 to 5. May ask a server which models it has, so never call it on the event loop."""
    if settings.AGENT_MODEL:
        return str(settings.AGENT_MODEL)
    if settings.ANTHROPIC_API_KEY:
        return providers.DEFAULT_MODELS["ANTHROPIC_API_KEY"]
    if settings.OPENAI_BASE_URL:
        found = probe.find_first_model(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY)
        if found or settings.OPENAI_API_KEY:
            return f"openai:{found}" if found else providers.DEFAULT_MODELS["OPENAI_API_KEY"]
    for key in ("OPENAI_API_KEY", "GOOGLE_API_KEY"):
        if getattr(settings, key):
            return providers.DEFAULT_MODELS[key]
    found = probe.find_first_model(providers.ollama_url()) if settings.OLLAMA_URL else None
    return f"ollama:{found}" if found else EMBEDDED


def brain_named(name: str) -> Brain:
    if name == EMBEDDED:
        model = EmbeddedModel()
        return Brain(model, model.label, "The embedded brain")
    made = _made(name, *(getattr(settings, setting) for setting in providers.SETTINGS))
    provider = providers.provider_name(made)
    return Brain(made, f"{providers.display_name(made)} · {provider}", provider)


@functools.lru_cache(maxsize=32)
def _made(name: str, *_settings: str) -> Model:
    """Kept, because each has a pool of connections of its own, as long as the settings it was made from hold."""
    return providers.make_model(name)
