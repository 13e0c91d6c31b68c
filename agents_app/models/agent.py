from __future__ import annotations

from django.db import models


class AgentQuerySet(models.QuerySet["Agent"]):
    def enabled(self) -> AgentQuerySet:
        return self.filter(enabled=True, present=True)

    def served(self) -> AgentQuerySet:
        """Those that others may call over A2A: remote ones are served elsewhere."""
        return self.enabled().filter(remote=None)


class Agent(models.Model):
    """Something that answers. A local one mirrors its class; operators decide `enabled` and `model`."""

    id = models.SlugField(primary_key=True, max_length=64, help_text='What people type after "@".')
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    colour = models.CharField(max_length=7, default="#5b6b7f")
    avatar = models.CharField(max_length=8, blank=True)
    skills = models.JSONField(default=list, blank=True, help_text="A2A AgentSkill objects.")
    input_modes = models.JSONField(default=list, blank=True)
    output_modes = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(default=0, help_text="Order in lists; the first is the default agent.")
    enabled = models.BooleanField(default=True)
    present = models.BooleanField(default=True, editable=False, help_text="Its class is still there.")
    at_once = models.PositiveIntegerField(
        "tasks at once", null=True, blank=True, help_text="Over all processes; 0: no limit; empty: AGENTS_AT_ONCE."
    )
    queue = models.SlugField(
        max_length=32, default="agents", help_text="Which workers run it: see `manage.py runagents --queues`."
    )
    model = models.CharField(max_length=200, blank=True, help_text="Language model; empty: the server's choice.")

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        return self.avatar or self.name[:1].upper()
