"""What the metrics say of backups."""

from __future__ import annotations

from django.utils import timezone

from metrics import readings
from metrics.readings import Reading
from ops.models import Backup


def add_readings() -> None:
    readings.add(Reading("tkr_backup_age_seconds", "Since the last whole backup.", read_backup_age))
    readings.add(Reading("tkr_backup_proven_age_seconds", "Since a backup was last proven.", read_proof_age))


def read_backup_age() -> float | None:
    """None: there is no backup yet, and so no age."""
    last = Backup.objects.filter(state=Backup.State.WHOLE).order_by("-made_at").first()
    return (timezone.now() - last.made_at).total_seconds() if last else None


def read_proof_age() -> float | None:
    proven = Backup.objects.filter(proof=Backup.Proof.PROVEN, proven_at__isnull=False)
    last = proven.order_by("-proven_at").first()
    return (timezone.now() - last.proven_at).total_seconds() if last and last.proven_at else None
