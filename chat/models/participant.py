from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from agents_app.ids import uuid7


class Participant(models.Model):
    """A person or an agent in a conversation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey("chat.Conversation", models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )  # `conversation_by_activity` begins with it
    agent = models.ForeignKey(
        "agents_app.Agent", models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    joined_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(help_text="Of the conversation's last message: kept here to sort a person's list.")
    read_seq = models.BigIntegerField(default=0, help_text="Journal number up to which a person has read.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, agent__isnull=True) | Q(user__isnull=True, agent__isnull=False),
                name="participant_person_or_agent",
            ),
            models.UniqueConstraint(
                fields=["conversation", "user"], condition=Q(user__isnull=False), name="participant_person_once"
            ),
            models.UniqueConstraint(
                fields=["conversation", "agent"], condition=Q(agent__isnull=False), name="participant_agent_once"
            ),
        ]
        indexes = [
            # Read backwards. What is new goes to its end: at the front SQLite would rearrange three pages for each.
            models.Index(
                fields=["user", "active_at", "conversation"],
                condition=Q(user__isnull=False),
                name="conversation_by_activity",
            ),
            models.Index(fields=["agent"], condition=Q(agent__isnull=False), name="participant_of_agent"),
        ]

    def __str__(self) -> str:
        return str(self.user or self.agent)
