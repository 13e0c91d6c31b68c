"""Parts between the three forms they take: A2A JSON in the database, `Part` for agents, a file for raw bytes."""

from __future__ import annotations

import base64
import logging
from typing import Any
from uuid import UUID

from agents_app.base import Part, Said
from agents_app.models import Attachment, Message
from agents_app.texts import saveable

logger = logging.getLogger(__name__)

ATTACHMENT = "attachment:"  # scheme of a url part whose bytes are an Attachment of ours


def to_json(part: Part) -> dict[str, Any]:
    """A2A JSON of a part; raw bytes as base64. Save attachments first where bytes may be large."""
    json: dict[str, Any] = {}
    is_described = part.media_type or part.filename or part.metadata
    if part.text is not None and not is_described:
        return {"text": saveable(part.text)}  # as most are
    if part.raw is not None:
        json["raw"] = base64.b64encode(part.raw).decode()
    elif part.url is not None:
        json["url"] = part.url
    elif part.text is not None:
        json["text"] = part.text
    else:
        json["data"] = part.data
    if is_described:
        named = {"mediaType": part.media_type, "filename": part.filename, "metadata": dict(part.metadata)}
        json |= {name: value for name, value in named.items() if value}
    return saveable(json)


def from_json(json: dict[str, Any]) -> Part:
    raw = json.get("raw")
    return Part(
        text=json.get("text"),
        raw=base64.b64decode(raw) if raw is not None else None,
        url=json.get("url"),
        data=json.get("data"),
        media_type=json.get("mediaType", ""),
        filename=json.get("filename", ""),
        metadata=json.get("metadata", {}),
    )


def attachment_json(attachment: Attachment) -> dict[str, Any]:
    return {
        "url": f"{ATTACHMENT}{attachment.id}",
        "mediaType": attachment.media_type,
        "filename": attachment.filename,
    }


def attachment_id(json: dict[str, Any]) -> UUID | None:
    url = json.get("url") or ""
    return UUID(url.removeprefix(ATTACHMENT)) if url.startswith(ATTACHMENT) else None


def has_attachments(message: Message) -> bool:
    return any(attachment_id(json) for json in message.parts)


def load_raw(json: dict[str, Any]) -> Part:
    """A part with its bytes, read from the attachment's file where it has one. Words instead where that is lost."""
    part = from_json(json)
    found = attachment_id(json)
    if found is None:
        return part
    attachment = Attachment.objects.filter(id=found).first()
    try:
        if attachment is not None:
            with attachment.file.open("rb") as file:
                return Part(raw=file.read(), media_type=part.media_type, filename=part.filename, metadata=part.metadata)
    except OSError:  # a restore without its files, a disk that fails: the message is still to be read and answered
        logger.exception("The file of attachment %s cannot be read.", found, extra={"action": "attachment.lost"})
    return Part(text=f"(The file {part.filename or 'that was here'} is lost.)", metadata=part.metadata)


def said(message: Message, *, with_bytes: bool = False) -> Said:
    """A message as an agent reads it. Needs `user` and `agent` loaded."""
    read = load_raw if with_bytes else from_json
    author = message.agent or message.user
    return Said(
        id=message.id,
        role="agent" if message.role == Message.Role.AGENT else "user",
        author=str(author) if author else "Somebody who left",
        author_id=str(message.agent_id or message.user_id or ""),
        text=message.text,
        parts=tuple(read(json) for json in message.all_parts),
        metadata=message.metadata,
        created_at=message.created_at,
        task_id=message.task_id,
    )
