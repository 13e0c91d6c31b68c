"""The message log of one `think`: what was exchanged with the model so far, kept by the turn across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict
from uuid import uuid4

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
)


class Usage(TypedDict):
    """What one answer of a model cost. `price` is in USD, None where nobody knows it."""

    model: str
    input_tokens: int
    output_tokens: int
    price: float | None


class ThinkingLog:
    def __init__(self, saved: list[dict[str, Any]]) -> None:
        self.messages: list[ModelMessage] = ModelMessagesTypeAdapter.validate_python(saved)

    @property
    def is_complete(self) -> bool:
        """The model has answered and wants nothing more."""
        last = self.messages[-1] if self.messages else None
        return isinstance(last, ModelResponse) and not last.tool_calls

    @property
    def instructions(self) -> str:
        """With which it began; empty: it has not."""
        return next((one.instructions or "" for one in self.messages if isinstance(one, ModelRequest)), "")

    @property
    def text(self) -> str:
        text = ""
        for message in self.messages:
            if isinstance(message, ModelResponse):
                spoken = "".join(part.content for part in message.parts if isinstance(part, TextPart))
                text += gap(text, spoken) + spoken
        return text

    def add(self, messages: Sequence[ModelMessage]) -> list[dict[str, Any]]:
        """Take up what is new, ending in a model's answer; returns it as JSON, to be saved."""
        for message in messages:
            if isinstance(message, ModelResponse):
                self._tell_calls_apart(message)
        self.messages.extend(messages)
        return ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")

    def _tell_calls_apart(self, response: ModelResponse) -> None:
        """A call's id says whether it was made already, and some servers number their calls anew in each answer."""
        known = {
            call.tool_call_id
            for message in self.messages
            if isinstance(message, ModelResponse)
            for call in message.tool_calls
        }
        for part in response.parts:
            if isinstance(part, ToolCallPart):
                if not part.tool_call_id or part.tool_call_id in known:
                    part.tool_call_id = f"call_{uuid4().hex}"
                known.add(part.tool_call_id)


def gap(before: str, text: str) -> str:
    """What stands between what was said before a tool call and what is said after it."""
    return "\n\n" if before and text and not before.endswith("\n") and not text.startswith("\n") else ""
