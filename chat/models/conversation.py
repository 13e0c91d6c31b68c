from __future__ import annotations

from django.conf import settings
from django.db import models

from agents_app.ids import uuid7
from agents_app.models import Via


class Conversation(models.Model):
    """A room with participants and messages. Its id is the A2A `contextId`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=200, blank=True, help_text="Empty until the first message.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )  # looked for only where an account ends
    created_at = models.DateTimeField(auto_now_add=True)
    via = models.CharField(max_length=8, choices=Via, default=Via.CHAT)
    message_seq = models.BigIntegerField(default=0, help_text="Journal number of the last message people read.")

    def __str__(self) -> str:
        return self.title or "New conversation"
