"""Answers that no tool and no template has: written by the embedded language model."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from agents_app.base import Said
from agents_app.brains.embedded import language_model
from agents_app.brains.embedded.language_model import Counted
from agents_app.brains.embedded.wording import HINT

# A model of this size plays no part: asked to be somebody, it writes more nonsense. The agent's voice frames its words.
SYSTEM = "You are a helpful AI assistant. Answer briefly and correctly."
# A token is at least a byte, so these fit the context in every script.
MOST_BYTES = 1000  # of the question
MOST_EARLIER_BYTES = 300  # of the question and the answer before it
ENOUGH_CHARS = 380  # from here on, the end of a sentence is the end
GOES_ON = re.compile(
    r"^\W*(and|but|so|why|how come|really|ok|okay)\b|\b(it|its|that|this|they|them|he|she|him|her|more)\b",
    re.IGNORECASE,
)


def prompt_for(question: str, history: Sequence[Said], agent_id: str) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": SYSTEM}]
    if len(question.split()) <= 12 and GOES_ON.search(question):
        messages += _last_exchange(history, agent_id)
    return [*messages, {"role": "user", "content": _cut(question, MOST_BYTES)}]


async def write(messages: list[dict[str, str]], counted: Counted) -> AsyncIterator[str]:
    """Piece by piece, to the end of a sentence. Raises `NoLanguageModel` before the first piece."""
    text = ""
    async with language_model.writing(messages, counted) as pieces:
        async for piece in pieces:
            words = piece if text else piece.lstrip()
            text += words
            if words:
                yield words
            if is_enough(text):
                break
    if text and text.rstrip()[-1:] not in '.!?:*`)…"”':
        yield " …"


def is_enough(text: str) -> bool:
    """At the end of a sentence: long enough, or begun to go in circles."""
    if not re.search(r"(?<!\d)[.!?][*\"”)]*\s*$", text):
        return False
    sentences = [one.strip().lower() for one in re.split(r"[.!?\n]+", text) if len(one.strip()) > 15]
    return len(text) >= ENOUGH_CHARS or len(set(sentences)) < len(sentences)


def _last_exchange(history: Sequence[Said], agent_id: str) -> list[dict[str, str]]:
    """The last question and what this agent answered, where it did."""
    for index in range(len(history) - 1, 0, -1):
        answer, question = history[index], history[index - 1]
        if answer.author_id == agent_id and question.role == "user":
            return [
                {"role": "user", "content": _cut(question.text, MOST_EARLIER_BYTES)},
                {"role": "assistant", "content": _cut(answer.text.removesuffix(HINT), MOST_EARLIER_BYTES)},
            ]
    return []


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").strip()
