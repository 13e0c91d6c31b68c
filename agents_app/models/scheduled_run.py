from __future__ import annotations

from django.db import models


class ScheduledRun(models.Model):
    """The ledger of a schedule: one row for each, moved with checked updates, so of all processes one runs it."""

    name = models.CharField(primary_key=True, max_length=120)
    due_at = models.DateTimeField(help_text="When it runs next.")
    runner = models.CharField(max_length=200, blank=True, help_text="The process that runs it now.")
    begun_at = models.DateTimeField(null=True, blank=True, help_text="Last begun.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Last ended.")
    error = models.TextField(blank=True, help_text="Why the last run failed; empty: it did not.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
