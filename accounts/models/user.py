from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. Agents are not users."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    display_name = models.CharField(max_length=120, blank=True, help_text="What others see; empty: the username.")
    daily_messages = models.PositiveIntegerField(
        null=True, blank=True, help_text="Messages to agents a day; 0: no limit; empty: what the server's settings say."
    )
    daily_tokens = models.PositiveBigIntegerField(null=True, blank=True, help_text="Tokens a day; the same.")
    daily_price = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="US dollars a day; the same."
    )
    first_name = None  # type: ignore[assignment]  # one name people choose themselves suits every culture
    last_name = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.display_name or self.username

    @property
    def initials(self) -> str:
        return self.name[:1].upper()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name
