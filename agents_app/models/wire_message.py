from __future__ import annotations

from django.db import models

from agents_app.ids import uuid7


class WireMessage(models.Model):
    """One protocol message with its answer, as it was on the wire, secrets masked."""

    class Direction(models.TextChoices):
        IN = "in"  # somebody called us
        OUT = "out"  # we called somebody, or pushed to them

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey(
        "agents_app.Task", models.CASCADE, null=True, blank=True, related_name="wire_messages", db_index=False
    )  # `wire_of_task` begins with it
    agent_id = models.CharField(max_length=64, blank=True)
    direction = models.CharField(max_length=4, choices=Direction)
    binding = models.CharField(max_length=16, help_text="JSONRPC, HTTP+JSON, GRPC or push.")
    operation = models.CharField(max_length=64)
    method = models.CharField(max_length=8, blank=True)
    url = models.TextField(blank=True)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField(blank=True)
    status = models.PositiveIntegerField(null=True, blank=True, help_text="HTTP; empty: no answer.")
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["task", "id"], name="wire_of_task")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.operation} {self.direction} {self.status or ''}"
