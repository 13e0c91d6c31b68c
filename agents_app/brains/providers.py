"""Language models of providers, made from the settings instead of from the environment.

A provider's library is imported when a model of it is made: all of them take longer than everything else that starts with a
process, and most processes need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from genai_prices.data_snapshot import get_snapshot
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model, parse_model_id
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider, infer_provider

from agents_app.brains.errors import BrainError

if TYPE_CHECKING:
    from pydantic_ai.providers.ollama import OllamaProvider
    from pydantic_ai.providers.openai import OpenAIProvider

DEFAULT_MODELS = {
    "ANTHROPIC_API_KEY": "anthropic:claude-sonnet-5-5",
    "OPENAI_API_KEY": "openai:gpt-6.1-sol",
    "GOOGLE_API_KEY": "google:gemini-3.8-flash",
}
SETTINGS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "GOOGLE_API_KEY", "OLLAMA_URL")
NAMES = {"anthropic": "Anthropic", "openai": "OpenAI", "google": "Google", "ollama": "Ollama"}
# A connection that is cut between two chunks looks like an end, so only one that the provider names counts.
ENDS_SAID = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
EXAMPLES = "anthropic:claude-sonnet-5-5, ollama:llama3.2 or embedded"


def make_model(name: str) -> Model:
    """A model by `provider:name`. Raises `BrainError`, which says what to write instead."""
    provider, model = parse_model_id(name)
    if provider is None:
        raise BrainError(f'"{name}" is no language model this server knows: write provider:model, such as {EXAMPLES}.')
    try:
        if provider == "ollama":
            from pydantic_ai.models.ollama import OllamaModel

            return OllamaModel(model, provider=ollama(), profile=ENDS_SAID)
        if provider == "openai" and settings.OPENAI_BASE_URL:
            from pydantic_ai.models.openai import OpenAIChatModel

            # Servers that speak OpenAI's language speak its chat completions, few of them its newer responses.
            return OpenAIChatModel(model, provider=openai(), profile=ENDS_SAID)
        return infer_model(name, provider_factory=_provider)
    except (UserError, ImportError, ValueError) as error:
        raise BrainError(f'The language model "{name}" cannot be used: {_first_sentence(error)}') from error


def ollama() -> OllamaProvider:
    from pydantic_ai.providers.ollama import OllamaProvider

    return OllamaProvider(base_url=ollama_url())


def ollama_url() -> str:
    return f"{settings.OLLAMA_URL or 'http://127.0.0.1:11434'}/v1"


def openai() -> OpenAIProvider:
    from pydantic_ai.providers.openai import OpenAIProvider

    # A server of one's own often wants no key, but the client does.
    return OpenAIProvider(base_url=settings.OPENAI_BASE_URL or None, api_key=settings.OPENAI_API_KEY or "none")


def provider_name(model: Model) -> str:
    """The provider as people know it."""
    if model.system == "openai" and settings.OPENAI_BASE_URL:
        return settings.OPENAI_BASE_URL.split("://")[-1].split("/")[0]
    return NAMES.get(model.system, model.system)


def display_name(model: Model) -> str:
    """ "Claude Sonnet 5.5" where the price list knows it, else the name as it is."""
    try:
        _, info = get_snapshot().find_provider_model(model.model_name, None, model.system, None)
    except LookupError:
        return model.model_name
    return info.name or model.model_name


def _provider(name: str) -> Provider[Any]:
    keys = {
        "anthropic": settings.ANTHROPIC_API_KEY,
        "openai": settings.OPENAI_API_KEY,
        "google": settings.GOOGLE_API_KEY,
    }
    if name in keys and not keys[name]:
        raise UserError(f"{name.upper()}_API_KEY is not set.")
    if name == "anthropic":
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicProvider(api_key=settings.ANTHROPIC_API_KEY)
    if name == "google":
        from pydantic_ai.providers.google import GoogleProvider

        return GoogleProvider(api_key=settings.GOOGLE_API_KEY)
    return openai() if name == "openai" else infer_provider(name)


def _first_sentence(error: Exception) -> str:
    """What follows in such texts is advice for programmers."""
    return str(error).splitlines()[0].split(" To try Pydantic AI ")[0]
