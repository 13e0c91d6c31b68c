from __future__ import annotations

from django.conf import settings
from django.db import models


class EventType(models.TextChoices):
    """Every kind of fact in a journal. `data` holds ids, and what the database forgets when it moves on."""

    MESSAGE_CREATED = "message.created"  # message
    MESSAGE_CHANGED = "message.changed"  # message
    TASK_STATUS = "task.status"  # state, text
    TASK_ARTIFACT = "task.artifact"  # artifact, parts, append, last
    TOOL_STARTED = "tool.started"  # step, message
    TOOL_FINISHED = "tool.finished"  # step, message
    CONVERSATION_OPENED = "conversation.opened"  # owner, agent, title, via: begun by a program, not on the page
    CONVERSATION_CHANGED = "conversation.changed"  # title
    PARTICIPANT_ADDED = "participant.added"  # user or agent
    PARTICIPANT_REMOVED = "participant.removed"  # user or agent


class Via(models.TextChoices):
    """How something came here."""

    CHAT = "chat"  # the page, or the REST API
    A2A = "a2a"


class JournalHead(models.Model):
    """The last number given in a conversation's journal, locked while numbers are given; and whose journal it is."""

    context_id = models.UUIDField(primary_key=True, editable=False)
    seq = models.BigIntegerField(default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )  # looked for only where an account ends, and where it has a name
    tenant = models.CharField(max_length=200, blank=True, help_text="A2A tenant; empty: the default one.")
    name = models.CharField(max_length=255, blank=True, help_text="The contextId its owner chose over A2A.")
    via = models.CharField(max_length=8, choices=Via, default=Via.CHAT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "tenant", "name"], condition=~models.Q(name=""), name="context_named_once"
            ),
        ]

    def __str__(self) -> str:
        return f"journal {self.context_id} at {self.seq}"


class Event(models.Model):
    """One numbered, durable fact in a conversation's journal."""

    pk = models.CompositePrimaryKey("context_id", "seq")
    context_id = models.UUIDField()
    seq = models.BigIntegerField(help_text="Gapless in the conversation.")
    task = models.ForeignKey("agents_app.Task", models.CASCADE, null=True, related_name="events", db_index=False)
    version = models.BigIntegerField(null=True, help_text="Gapless in the task.")
    type = models.CharField(max_length=24, choices=EventType)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    about: models.Model | None = None  # the row it speaks of, while the event is fresh; not saved

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "version"], condition=models.Q(task__isnull=False), name="event_of_task"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} #{self.seq}"
