from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from ops.backups.stores import DiskStore


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> DiskStore:
    """Backups and attached files of the test alone."""
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return DiskStore(settings.BACKUP_DIR)
