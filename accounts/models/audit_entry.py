from __future__ import annotations

from django.db import models

from accounts.models.append_only import AppendOnlyModel, AppendOnlyQuerySet


class AuditEntry(AppendOnlyModel):
    """Who changed what, when and from where. It names people and things instead of pointing at them: it outlives them."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    action = models.CharField(max_length=60, help_text="A noun and what became of it, such as token.revoked.")
    actor_id = models.UUIDField(null=True, help_text="The person; empty: the server's own console, or nobody known.")
    actor = models.CharField(max_length=150, blank=True, help_text="Their name at that time.")
    address = models.CharField(max_length=64, blank=True, help_text="The network address it came from.")
    via = models.CharField(max_length=16, blank=True, help_text="http, websocket, a2a or command.")
    request = models.CharField(max_length=40, blank=True, help_text="The number of the request, as log lines have it.")
    about = models.CharField(max_length=80, blank=True, help_text="Kind and id of what it was done to.")
    about_name = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    objects = AppendOnlyQuerySet["AuditEntry"].as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["actor_id", "-id"], name="audit_of_person"),
            models.Index(fields=["about", "-id"], name="audit_of_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor or 'the console'}"
