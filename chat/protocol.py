"""The frames of the browser's WebSocket: one JSON object each, `noun.verb` from the browser, `noun.past` to it.

`docs/websocket.md` lists them. What arrives is checked here, whole, before anything is done with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_args, get_type_hints
from uuid import UUID

from agents_app.runtime.brake import Choice

VERSION = 1  # of the frames; a page of another version loads itself anew
RESET = 1012  # close code: an operator closed it, or the server begins anew; connect again
TOO_SLOW = 4408  # close code: it reads nothing; it may come back and catch up
SIGNED_OUT = 4401  # close code: no session, or not any more


class BadFrame(Exception):
    """A frame nobody can act on. `code` is stable, the text says what is wrong."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class OpenConversation:
    type: ClassVar[str] = "conversation.open"
    id: UUID
    after: int | None = None


@dataclass(frozen=True, slots=True)
class CloseConversation:
    type: ClassVar[str] = "conversation.close"
    id: UUID


@dataclass(frozen=True, slots=True)
class ReadConversation:
    type: ClassVar[str] = "conversation.read"
    id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class PostMessage:
    type: ClassVar[str] = "message.post"
    conversation: UUID
    client_id: UUID
    text: str
    attachments: list[UUID]
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class TimeMessage:
    type: ClassVar[str] = "message.time"
    traceparent: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class RetryMessage:
    type: ClassVar[str] = "message.retry"
    message: UUID


@dataclass(frozen=True, slots=True)
class CancelTask:
    type: ClassVar[str] = "task.cancel"
    task: UUID


@dataclass(frozen=True, slots=True)
class DecideTask:
    type: ClassVar[str] = "task.decide"
    task: UUID
    choice: Choice


InFrame = (
    OpenConversation
    | CloseConversation
    | ReadConversation
    | PostMessage
    | TimeMessage
    | RetryMessage
    | CancelTask
    | DecideTask
)
IN_FRAMES: dict[str, type[InFrame]] = {frame.type: frame for frame in get_args(InFrame)}


def parse(text: str) -> InFrame:
    """A frame from the browser. Raises `BadFrame`."""
    try:
        json_object = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("not-json", "A frame is one JSON object.") from None
    name = json_object.get("type") if isinstance(json_object, dict) else None
    if not isinstance(name, str) or name not in IN_FRAMES:
        raise BadFrame("unknown-type", f"The frame's type is one of {', '.join(IN_FRAMES)}.")
    frame = IN_FRAMES[name]
    hints = get_type_hints(frame)
    return frame(**{field.name: _value(name, field.name, hints[field.name], json_object) for field in fields(frame)})


def _value(frame: str, name: str, hint: Any, json_object: dict[str, Any]) -> Any:
    value = json_object.get(name)
    if hint == list[UUID] and (value is None or isinstance(value, list)):
        return [_uuid(frame, name, item) for item in value or ()]
    if hint is UUID:
        return _uuid(frame, name, value)
    if hint in (str, str | None) and isinstance(value, str):
        return value
    if hint is Choice and value in list(Choice):
        return Choice(value)
    if hint in (int, int | None) and isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    if hint in (int | None, str | None) and value is None:
        return None
    raise BadFrame("bad-field", f'"{name}" of {frame} is missing or of the wrong kind.')


def _uuid(frame: str, name: str, value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise BadFrame("bad-field", f'"{name}" of {frame} must be a UUID.') from None


def encode(type: str, **values: Any) -> str:
    """A frame to the browser."""
    return json.dumps({"type": type, **values}, default=str, ensure_ascii=False, separators=(",", ":"))
