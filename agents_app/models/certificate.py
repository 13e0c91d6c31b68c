from __future__ import annotations

from django.db import models


class Certified(models.Model):
    """What a test found out about an agent; see `agents_app/a2a/certificate/`."""

    certificate = models.JSONField(default=dict, blank=True, help_text="Findings of the last test.")
    certified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class OwnCertificate(Certified):
    """Of an agent of this server. One elsewhere has it in its row of `RemoteAgent`."""

    agent = models.OneToOneField("agents_app.Agent", models.CASCADE, primary_key=True, related_name="own_certificate")

    def __str__(self) -> str:
        return f"Certificate of {self.agent_id}"
