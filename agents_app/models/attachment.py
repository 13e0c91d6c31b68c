from __future__ import annotations

from django.conf import settings
from django.db import models

from agents_app.ids import uuid7


def stored_as(attachment: Attachment, filename: str) -> str:
    """Never the sender's file name: it may be hostile, and it is kept in `filename`."""
    return f"attachments/{attachment.id.hex[-2:]}/{attachment.id.hex}"


class Attachment(models.Model):
    """Raw bytes of a Part, kept as a file. The part then says `{"url": "attachment:<id>"}`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    context_id = models.UUIDField(db_index=True, help_text="The conversation; who may read it may read this.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    filename = models.CharField(max_length=255, blank=True)
    media_type = models.CharField(max_length=127, default="application/octet-stream")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=stored_as, max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.filename or str(self.id)
