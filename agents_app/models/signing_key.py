from __future__ import annotations

from django.db import models


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def trusted(self) -> SigningKeyQuerySet:
        """Signatures by these still hold: in use, or retired."""
        return self.filter(revoked_at=None)

    def in_use(self) -> SigningKeyQuerySet:
        return self.trusted().filter(retired_at=None)


class SigningKey(models.Model):
    """Signs our agent cards. `manage.py a2akey` makes, rotates and revokes them."""

    kid = models.CharField(primary_key=True, max_length=64, editable=False)
    public_jwk = models.JSONField(editable=False)
    private_pem = models.TextField(editable=False, help_text="Encrypted.")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Signs no more; what it signed still holds.")
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="What it signed does not hold any more.")

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid

    @property
    def state(self) -> str:
        """In words, with the day it came to be so."""
        if self.revoked_at:
            return f"revoked on {self.revoked_at:%Y-%m-%d}"
        return (
            f"retired on {self.retired_at:%Y-%m-%d}" if self.retired_at else f"in use since {self.created_at:%Y-%m-%d}"
        )
