from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from agents_app.ids import uuid7


class Participant(models.Model):
    """A person or an agent in a conversation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(
        "chat.Conversation", models.CASCADE, related_name="participants", db_index=False
    )  # `person_takes_part_once` begins with it
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )  # `conversation_by_activity` begins with it
    agent = models.ForeignKey(
        "agents_app.Agent", models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )  # `agent_takes_part_once` begins with it
    joined_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(help_text="Of the conversation's last message: kept here to sort a person's list.")
    read_seq = models.BigIntegerField(default=0, help_text="Journal number up to which a person has read.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, agent__isnull=True) | Q(user__isnull=True, agent__isnull=False),
                name="participant_person_or_agent",
            ),
            # Of agents too, for it is what the participants of a conversation are found by; no user is never the same.
            models.UniqueConstraint(fields=["conversation", "user"], name="person_takes_part_once"),
            models.UniqueConstraint(
                fields=["agent", "conversation"], condition=Q(agent__isnull=False), name="agent_takes_part_once"
            ),
        ]
        indexes = [
            # Read backwards. What is new goes to its end: at the front SQLite would rearrange three pages for each.
            models.Index(
                fields=["user", "active_at", "conversation"],
                condition=Q(user__isnull=False),
                name="conversation_by_activity",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.agent)
