from django.db import models

from agents_app.ids import uuid7


class Artifact(models.Model):
    """A result a task produced: an A2A Artifact."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    task = models.ForeignKey("agents_app.Task", models.CASCADE, related_name="artifacts")
    message = models.ForeignKey(
        "agents_app.Message", models.CASCADE, related_name="artifacts", help_text="Shown under."
    )
    name = models.TextField(blank=True, help_text="As long as its agent likes.")
    description = models.TextField(blank=True)
    parts = models.JSONField(default=list)
    metadata = models.JSONField(default=dict, blank=True)
    wire = models.JSONField(default=dict, blank=True, help_text="What a remote agent chose: artifactId, extensions.")
    complete = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name or f"artifact {self.id}"
