from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from metrics.readings import read_server
from ops.models import Backup

pytestmark = pytest.mark.django_db(transaction=True)


def ages() -> dict[str, float]:
    return {figure.name: figure.value for figure in read_server() if figure.name.startswith("tkr_backup")}


def test_it_works():
    now = timezone.now()
    Backup.objects.create(name="old", state="whole", made_at=now - timedelta(hours=40))
    proven = {"proof": "proven", "proven_at": now - timedelta(hours=3)}
    Backup.objects.create(name="new", state="whole", made_at=now - timedelta(hours=10), **proven)
    Backup.objects.create(name="broken", state="failed", made_at=now)

    assert ages() == {
        "tkr_backup_age_seconds": pytest.approx(36_000, abs=60),
        "tkr_backup_proven_age_seconds": pytest.approx(10_800, abs=60),
    }


def test_without_a_backup_nothing_is_said():
    assert ages() == {}
