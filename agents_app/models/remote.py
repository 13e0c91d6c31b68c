from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q

from agents_app.models.certificate import Certified


class RemoteAgent(Certified):
    """An A2A agent elsewhere: its card as somebody accepted it, how to reach it, and whether it answers."""

    class Signature(models.TextChoices):
        NONE = "none"
        VALID = "valid"
        UNKNOWN = "unknown"  # signed, by a key we cannot check
        INVALID = "invalid"

    agent = models.OneToOneField("agents_app.Agent", models.CASCADE, primary_key=True, related_name="remote")
    card_url = models.URLField(max_length=2000)
    card = models.JSONField(help_text="As accepted.")
    card_sha256 = models.CharField(max_length=64)
    signature = models.CharField(max_length=8, choices=Signature, default=Signature.NONE)
    pending_card = models.JSONField(
        null=True, blank=True, help_text="The card changed; on hold until somebody accepts the difference."
    )
    interface_url = models.URLField(max_length=2000)
    binding = models.CharField(max_length=200, help_text="JSONRPC, HTTP+JSON or GRPC.")
    protocol_version = models.CharField(max_length=16)
    tenant = models.CharField(max_length=200, blank=True)
    credentials = models.TextField(blank=True, help_text="Encrypted JSON: {security scheme name: secret}.")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()

    down_since = models.DateTimeField(null=True, blank=True, help_text="Empty: it answers.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    last_error = models.TextField(blank=True)
    check_at = models.DateTimeField(help_text="When to look next.")

    class Meta:
        indexes = [models.Index(fields=["check_at"], name="remote_agent_due")]

    def __str__(self) -> str:
        return f"{self.agent_id} at {self.interface_url}"

    @property
    def host(self) -> str:
        """Where messages to it go."""
        return urlsplit(self.interface_url).netloc or self.interface_url

    @property
    def is_on_hold(self) -> bool:
        return self.pending_card is not None


class RemoteTask(models.Model):
    """A task of ours that a remote agent works on, and its own names for it."""

    task = models.OneToOneField("agents_app.Task", models.CASCADE, primary_key=True, related_name="remote")
    context_id = models.UUIDField(db_index=True, help_text="Ours.")
    remote_task_id = models.TextField(blank=True, help_text="Empty: not accepted there yet.")
    remote_context_id = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Saved before it is sent: it may have arrived.")
    waiting_since = models.DateTimeField(null=True, blank=True, help_text="The remote agent is down.")

    class Meta:
        indexes = [models.Index(fields=["task"], condition=~Q(waiting_since=None), name="remote_task_waiting")]

    def __str__(self) -> str:
        return f"{self.task_id} is {self.remote_task_id or 'nothing yet'} there"
