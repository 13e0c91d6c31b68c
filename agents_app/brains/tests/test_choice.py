from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents_app import brains, registry
from agents_app.base import Agent as AgentClass
from agents_app.brains import probe
from agents_app.brains.choice import choose_brain, default_name
from agents_app.brains.errors import BrainError
from agents_app.brains.tests.fake_provider import FakeProvider
from agents_app.models import Agent
from agents_app.threads import in_thread

NOBODY = "http://127.0.0.1:9"


class Opinionated(AgentClass):
    id = "opinionated"
    name = "Opinionated"
    description = "Has a model of its own."
    model = "anthropic:claude-opus-5-5"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    probe.forget()
    registry.add(Opinionated)
    yield
    registry.remove("opinionated")
    probe.forget()


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    with FakeProvider().running() as running:
        yield running


def test_it_works(settings: Any) -> None:
    """A fresh machine without keys and network."""
    assert default_name() == "embedded"
    assert brains.describe_default() == "Embedded · tools only"
    settings.EMBEDDED_MODEL = True
    assert brains.describe_default() == "Embedded · SmolLM2-135M"


def test_an_ollama_comes_before_the_embedded_brain(settings: Any, server: FakeProvider) -> None:
    settings.OLLAMA_URL = server.url.removesuffix("/v1")
    assert default_name() == "ollama:llama3.2", "the first model that is not for embeddings"
    assert brains.describe_default() == "llama3.2 · Ollama"


def test_an_ollama_that_does_not_answer_is_passed_over(settings: Any) -> None:
    settings.OLLAMA_URL = NOBODY
    assert default_name() == "embedded"


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("GOOGLE_API_KEY", "Gemini 3.8 Flash · Google"),
        ("OPENAI_API_KEY", "GPT-6.1 Sol · OpenAI"),
        ("ANTHROPIC_API_KEY", "Claude Sonnet 5.5 · Anthropic"),
    ],
)
def test_a_key_comes_before_an_ollama(settings: Any, server: FakeProvider, key: str, label: str) -> None:
    settings.OLLAMA_URL = server.url.removesuffix("/v1")
    setattr(settings, key, "secret")
    assert brains.describe_default() == label


def test_a_server_that_speaks_openais_language_names_its_model(settings: Any, server: FakeProvider) -> None:
    settings.OPENAI_BASE_URL = server.url
    assert default_name() == "openai:llama3.2"
    assert brains.describe_default() == f"llama3.2 · {server.url.split('//')[1].split('/')[0]}"


def test_the_operators_default_comes_before_keys(settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = "secret"
    settings.AGENT_MODEL = "ollama:qwen3"
    assert brains.describe_default() == "qwen3 · Ollama"
    settings.AGENT_MODEL = "embedded"
    assert brains.describe_default().startswith("Embedded")


@pytest.mark.django_db(transaction=True)
async def test_the_agents_own_model_comes_first(settings: Any) -> None:
    settings.AGENT_MODEL = "ollama:qwen3"
    settings.ANTHROPIC_API_KEY = "secret"
    assert (await choose_brain("opinionated")).name == "claude-opus-5-5"
    await in_thread(lambda: Agent.objects.create(id="opinionated", name="Opinionated", model="embedded"))
    assert (await choose_brain("opinionated")).label.startswith("Embedded"), "what an operator chose beats the class"
    assert (await choose_brain("chloe")).label == "qwen3 · Ollama"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt-99", '"gpt-99" is no language model this server knows: write provider:model'),
        ("nonsense:model", 'The language model "nonsense:model" cannot be used'),
        ("anthropic:claude-sonnet-5-5", "ANTHROPIC_API_KEY is not set"),
    ],
)
def test_a_model_nobody_knows_is_explained(settings: Any, name: str, words: str) -> None:
    settings.AGENT_MODEL = name
    assert words in brains.describe_default()


@pytest.mark.django_db(transaction=True)
async def test_a_model_nobody_knows_fails_the_answer_with_words(settings: Any) -> None:
    settings.AGENT_MODEL = "gpt-99"
    with pytest.raises(BrainError, match="gpt-99"):
        await choose_brain("chloe")
    assert "gpt-99" in await in_thread(brains.brain_label, Agent(id="chloe"))


def test_a_server_is_asked_once_a_minute(settings: Any, server: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OLLAMA_URL = server.url.removesuffix("/v1")
    clock = [1000.0]
    monkeypatch.setattr(probe.time, "monotonic", lambda: clock[0])
    for _ in range(3):
        default_name()
    assert server.listings == 1
    clock[0] += 61
    default_name()
    assert server.listings == 2
