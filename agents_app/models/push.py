from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents_app.ids import uuid7


class PushConfig(models.Model):
    """Where a task's events are posted to: an A2A TaskPushNotificationConfig."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey("agents_app.Task", models.CASCADE, related_name="push_configs")
    name = models.CharField(max_length=255, help_text="Its id on the wire; the caller's own, or made here.")
    url = models.URLField(max_length=2000)
    token = models.TextField(blank=True, help_text="Encrypted; sent as X-A2A-Notification-Token.")
    scheme = models.CharField(max_length=64, blank=True)
    credentials = models.TextField(blank=True, help_text="Encrypted; sent as Authorization.")
    legacy = models.BooleanField(default=False, help_text="Made by a caller of A2A 0.3, who is told in its form.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="push_config_of_task")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.url} for {self.task_id}"


class PushDelivery(models.Model):
    """One event on its way to one address. The outbox: written in the transaction of its event.

    What it says is made from the journal at each try: the commit stays cheap, and attachments are not kept twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        DEAD = "dead"  # given up; an operator may send it again

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    config = models.ForeignKey(PushConfig, models.CASCADE, related_name="deliveries")
    version = models.BigIntegerField(help_text="Of the task, so that they leave in order.")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True, help_text="A worker is sending it.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["config", "version"], name="push_delivery_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="push_delivery_due"),
            models.Index(fields=["config", "state", "version"], name="push_delivery_in_order"),
        ]
        ordering = ["id"]
        verbose_name_plural = "push deliveries"

    def __str__(self) -> str:
        return f"event {self.version} to {self.config_id} ({self.state})"


class PushAttempt(models.Model):
    """One try to deliver; the ledger."""

    delivery = models.ForeignKey(PushDelivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveIntegerField(null=True, blank=True, help_text="HTTP; empty: no answer.")
    error = models.TextField(blank=True)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status or self.error} at {self.at}"

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300
