from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from metrics.models import Process

FORGOTTEN_AFTER = timedelta(days=1)  # until then an operator can see what died


def note_process(owner: str, values: dict[str, Any]) -> None:
    if not Process.objects.filter(owner=owner).update(**values):
        Process.objects.update_or_create(owner=owner, defaults=values)


def forget_process(owner: str) -> None:
    """It ended in order."""
    Process.objects.filter(owner=owner).delete()


def forget_dead_processes() -> int:
    return Process.objects.filter(last_seen_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()[0]
