"""The only way to what `ops` keeps. Whoever asks here is an operator: that is checked where they come in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from ops.backups.refusals import NoSuchBackup
from ops.models import Backup


class LastProof(NamedTuple):
    """ "Last proven restore 03:12, 48,211 messages"."""

    name: str
    at: datetime
    messages: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC, {self.messages:,} messages"


def last_proof() -> LastProof | None:
    """Of a backup that is still there."""
    found = Backup.objects.proven().order_by("-proven_at").first()
    if found is None or found.proven_at is None:
        return None
    return LastProof(found.name, found.proven_at, found.messages, found.proof_seconds or 0.0)


def list_backups() -> QuerySet[Backup]:
    """Newest first."""
    return Backup.objects.select_related("asked_by")


def get_backup(name: str) -> Backup:
    found = list_backups().filter(name=name).first()
    if found is None:
        raise NoSuchBackup(f"There is no backup {name!r}.")
    return found
