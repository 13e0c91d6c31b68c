from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from agents_app.ids import uuid7


class MessageQuerySet(models.QuerySet["Message"]):
    def in_context(self, context_id: Any) -> MessageQuerySet:
        return self.filter(context_id=context_id)

    def for_people(self) -> MessageQuerySet:
        """What the room reads; what agents say to each other is inside the delegation that caused it."""
        return self.filter(inner=False)

    def before(self, seq: int) -> MessageQuerySet:
        return self.filter(seq__lt=seq)


class Message(models.Model):
    """Something said and saved: an A2A Message."""

    class Role(models.TextChoices):
        USER = "user"
        AGENT = "agent"

    class State(models.TextChoices):
        STREAMING = "streaming"  # `text` is behind the live text by up to a second
        COMPLETE = "complete"
        STOPPED = "stopped"  # by a person
        FAILED = "failed"  # `error` says why

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    context_id = models.UUIDField(help_text="The conversation.")
    seq = models.BigIntegerField(help_text="Journal number of its message.created; the order of a conversation.")
    role = models.CharField(max_length=8, choices=Role)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    agent = models.ForeignKey(
        "agents_app.Agent", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    task = models.ForeignKey(
        "agents_app.Task", models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False
    )
    inner = models.BooleanField(default=False, help_text="Said between agents, inside a delegation.")
    state = models.CharField(max_length=12, choices=State, default=State.COMPLETE)
    text = models.TextField(blank=True)
    parts = models.JSONField(default=list, blank=True, help_text="A2A parts; empty when the message is its text alone.")
    metadata = models.JSONField(default=dict, blank=True)
    wire = models.JSONField(
        default=dict, blank=True, help_text="What its A2A sender chose: messageId, extensions, referenceTaskIds."
    )
    error = models.TextField(blank=True)
    usage = models.JSONField(default=dict, blank=True, help_text="model, input_tokens, output_tokens, price (USD).")
    client_id = models.UUIDField(null=True, blank=True, help_text="The author's own number for it.")
    created_at = models.DateTimeField()

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["context_id", "seq"], name="message_order"),
            models.UniqueConstraint(
                fields=["user", "client_id"], condition=models.Q(client_id__isnull=False), name="message_stored_once"
            ),
        ]
        indexes = [
            # Of the messages that have one, for every index is written with every message.
            models.Index(fields=["user"], condition=models.Q(user__isnull=False), name="message_of_user"),
            models.Index(fields=["agent"], condition=models.Q(agent__isnull=False), name="message_of_agent"),
            models.Index(fields=["task"], condition=models.Q(task__isnull=False), name="message_of_task"),
        ]

    def __str__(self) -> str:
        return f"message {self.id}"

    @property
    def all_parts(self) -> list[dict[str, Any]]:
        return self.parts or [{"text": self.text}]
