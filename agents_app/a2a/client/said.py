"""Between A2A's messages on the wire (the SDK's protobuf types) and what agents here say and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from a2a.types.a2a_pb2 import Message, Part, Role
from django.conf import settings
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message as Proto

from agents_app import base
from agents_app.texts import saveable

PROSE = ("", "text/plain", "text/markdown")


def is_prose(part: Part) -> bool:
    """Text to be said, not a document to be kept."""
    return part.HasField("text") and not part.filename and part.media_type.partition(";")[0].strip() in PROSE


def prose(parts: Iterable[Part], between: str = "\n\n") -> str:
    return between.join(saveable(part.text) for part in parts if is_prose(part))


def kept_parts(parts: Iterable[Part]) -> list[base.Part]:
    """Files, data, addresses and documents."""
    return [to_part(part) for part in parts if not is_prose(part) and part.WhichOneof("content")]


def to_part(part: Part) -> base.Part:
    kind = part.WhichOneof("content")
    name, media_type = saveable(part.filename)[:255], part.media_type[:127]
    if kind == "raw" and len(part.raw) > settings.ATTACHMENT_MAX_BYTES:
        return base.Part(text=f"The file {name or 'it sent'} is too large to be kept here ({len(part.raw):,} bytes).")
    content: dict[str, Any] = {
        "text": saveable(part.text) if kind == "text" else None,
        "raw": part.raw if kind == "raw" else None,
        "url": saveable(part.url) if kind == "url" else None,
        "data": plain(part.data) if kind == "data" else None,
    }
    return base.Part(**content, media_type=media_type, filename=name, metadata=plain(part.metadata) or {})


def from_part(part: base.Part) -> Part:
    wire = Part(media_type=part.media_type, filename=part.filename)
    if part.raw is not None:
        wire.raw = part.raw
    elif part.url is not None:
        wire.url = part.url
    elif part.text is not None:
        wire.text = part.text
    else:
        ParseDict(part.data, wire.data)
    return wire


def message(said: base.Said, message_id: str, context_id: str, task_id: str = "") -> Message:
    """What a person, or an agent here, says to the remote agent."""
    parts = [from_part(part) for part in said.parts if part.text != ""] or [Part(text=said.text or " ")]
    return Message(message_id=message_id, context_id=context_id, task_id=task_id, role=Role.ROLE_USER, parts=parts)


def plain(value: Proto) -> Any:
    """A protobuf Value or Struct as the database can keep it: whole numbers whole again, for protobuf knows floats only."""
    return _plain(MessageToDict(value))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return saveable(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Mapping):
        return {saveable(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
