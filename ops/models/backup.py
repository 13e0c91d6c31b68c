from __future__ import annotations

from django.conf import settings
from django.db import models


class BackupQuerySet(models.QuerySet["Backup"]):
    def whole(self) -> BackupQuerySet:
        """Those that can be restored."""
        return self.filter(state=Backup.State.WHOLE)

    def running(self) -> BackupQuerySet:
        """What somebody makes or proves now."""
        return self.filter(models.Q(state=Backup.State.RUNNING) | models.Q(proof=Backup.Proof.RUNNING))

    def proven(self) -> BackupQuerySet:
        return self.whole().filter(proof=Backup.Proof.PROVEN)


class Backup(models.Model):
    """One backup, and the last proof of it. The store has the truth; this is what was heard of it."""

    class State(models.TextChoices):
        RUNNING = "running"
        WHOLE = "whole"
        FAILED = "failed"  # `error` says why
        GONE = "gone"  # pruned, or deleted by somebody

    class Proof(models.TextChoices):
        NONE = "none", "not yet"
        RUNNING = "running"
        PROVEN = "proven"
        FAILED = "failed"  # `proof_error` says why

    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    error = models.TextField(blank=True)
    owner = models.CharField(max_length=200, blank=True, help_text="The process that makes or proves it.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    seconds = models.FloatField(null=True, blank=True, help_text="How long it took.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    messages = models.PositiveBigIntegerField(default=0)
    version = models.CharField(max_length=40, blank=True, help_text="Of the product.")
    database = models.CharField(max_length=16, blank=True)
    encrypted = models.BooleanField(default=False)

    proof = models.CharField(max_length=8, choices=Proof, default=Proof.NONE)
    proof_error = models.TextField(blank=True)
    proven_at = models.DateTimeField(null=True, blank=True, help_text="When it was last restored and compared.")
    proof_seconds = models.FloatField(null=True, blank=True)
    missing_files = models.PositiveIntegerField(default=0, help_text="Named in its database, and not on the disk.")

    objects = BackupQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING or self.proof == self.Proof.RUNNING
