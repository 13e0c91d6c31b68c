from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile

from agents_app.base import Part
from agents_app.models import Attachment
from agents_app.parts import attachment_json, to_json
from agents_app.texts import saveable


def save_attachment(
    context_id: UUID, content: bytes, *, filename: str = "", media_type: str = "", owner_id: Any = None
) -> Attachment:
    attachment = Attachment(
        context_id=context_id,
        owner_id=owner_id,
        filename=saveable(filename)[:255],
        media_type=saveable(media_type)[:127] or "application/octet-stream",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    attachment.file.save(attachment.id.hex, ContentFile(content), save=False)
    attachment.save(force_insert=True)
    return attachment


def save_parts(context_id: UUID, parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """A2A JSON of parts, raw bytes kept as files."""
    return [
        to_json(part)
        if part.raw is None
        else attachment_json(save_attachment(context_id, part.raw, filename=part.filename, media_type=part.media_type))
        for part in parts
    ]
