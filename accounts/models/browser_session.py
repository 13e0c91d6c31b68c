from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.db import models

from accounts.browsers import browser_name


class BrowserSession(models.Model):
    """A browser in which somebody is signed in: what they need to know it by. The session itself is Django's."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.user} in {self.browser}"

    @property
    def browser(self) -> str:
        return browser_name(self.user_agent)
