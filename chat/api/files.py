from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from ninja import File, Router, Status
from ninja.errors import HttpError
from ninja.files import UploadedFile

from accounts.models import User
from agents_app.actions.attachments import save_attachment
from agents_app.models import Attachment
from agents_app.threads import in_thread
from chat import access
from chat.api.authentication import ApiRequest
from chat.api.schemas import FileOut

router = Router()

MEDIA_TYPE_MAX_CHARS = 127


@router.post("/conversations/{uuid:conversation_id}/attachments", response={201: FileOut}, summary="Upload a file")
async def upload(request: ApiRequest, conversation_id: UUID, file: File[UploadedFile]) -> Status:
    """Multipart, in the field `file`. Name its id in a message to attach it."""
    conversation = await in_thread(access.get_conversation, request.auth, conversation_id)
    if (file.size or 0) > settings.ATTACHMENT_MAX_BYTES:
        limit = settings.ATTACHMENT_MAX_BYTES
        limit_text = f"{limit / 2**20:g} MB" if limit >= 2**20 else f"{limit:,} bytes"
        raise HttpError(413, f"This file is too large: at most {limit_text}.")
    return Status(201, FileOut.of(await in_thread(_save, request.auth, conversation.id, file)))


@router.get("/attachments/{uuid:attachment_id}", summary="Download a file")
async def download(request: ApiRequest, attachment_id: UUID) -> HttpResponse:
    """Its bytes, never as a page."""
    file = await in_thread(access.get_attachment, request.auth, attachment_id)
    response = HttpResponse(await in_thread(_read, file), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, file.filename or "file")
    return response


def _read(attachment: Attachment) -> bytes:
    with attachment.file.open("rb") as file:
        return bytes(file.read())


def _save(user: User, conversation_id: UUID, file: UploadedFile) -> Attachment:
    media_type = file.content_type or ""
    return save_attachment(
        conversation_id,
        file.read(),
        filename=file.name or "",
        media_type=media_type if len(media_type) <= MEDIA_TYPE_MAX_CHARS else "",
        owner_id=user.id,
    )
