"""A conversation as a language model reads it: its own messages as its own, all others with a name before them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart

from agents_app.base import Part, Said

MOST_CHARS = 60_000  # of the history; the newest messages stay
MOST_DATA_CHARS = 4_000


def messages_of(history: Sequence[Said], agent_id: str) -> list[ModelMessage]:
    messages = [_own(said) if said.author_id == agent_id else _other(said) for said in _newest(history)]
    while messages and isinstance(messages[0], ModelResponse):
        del messages[0]  # a conversation begins with somebody else's words, or some providers refuse it
    return messages


def label(said: Said) -> str:
    return f"[{said.author}]: {read(said)}"


def read(said: Said) -> str:
    """The text, and one line for each part that is no text."""
    others = [_described(part) for part in said.parts if part.text is None]
    return "\n\n".join(filter(None, [said.text, "\n".join(others)]))


def _newest(history: Sequence[Said]) -> list[Said]:
    kept: list[Said] = []
    left = MOST_CHARS
    for said in reversed(history):
        left -= len(said.text)
        if left < 0:
            break
        kept.append(said)
    return kept[::-1]


def _own(said: Said) -> ModelMessage:
    return ModelResponse([TextPart(said.text)], timestamp=said.created_at)


def _other(said: Said) -> ModelMessage:
    return ModelRequest([UserPromptPart(label(said), timestamp=said.created_at)])


def _described(part: Part) -> str:
    if part.data is not None:
        return f"Data: {json.dumps(part.data, ensure_ascii=False, default=str)[:MOST_DATA_CHARS]}"
    kind = f" ({part.media_type})" if part.media_type else ""
    if part.filename or part.raw is not None:
        return f"Attached file, not readable for you: {part.filename or 'without a name'}{kind}"
    return f"Link: {part.url}{kind}"
