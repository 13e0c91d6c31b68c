"""Every secret that is kept encrypted, so that all of them can be encrypted anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from agents_app.models import PushConfig, RemoteAgent, SigningKey
from agents_app.vault import Unreadable, decrypt, encrypt

ENCRYPTED: tuple[tuple[type[models.Model], str], ...] = (
    (PushConfig, "token"),
    (PushConfig, "credentials"),
    (RemoteAgent, "credentials"),
    (SigningKey, "private_pem"),
)


@dataclass(slots=True)
class Rotation:
    encrypted_anew: int = 0
    unreadable: int = 0  # by any key that is here


def rotate_secrets() -> Rotation:
    """With SECRET_KEY, whichever key they were encrypted with. All of them, or none."""
    rotation = Rotation()
    with transaction.atomic():
        for row, field in _held(lock=True):
            try:
                setattr(row, field, encrypt(decrypt(getattr(row, field))))
            except Unreadable:
                rotation.unreadable += 1
            else:
                row.save(update_fields=[field])
                rotation.encrypted_anew += 1
    return rotation


def count_unreadable() -> int:
    return sum(not _is_readable(getattr(row, field)) for row, field in _held())


def _held(*, lock: bool = False) -> Iterator[tuple[Any, str]]:
    for model, field in ENCRYPTED:
        rows = model._default_manager.exclude(**{field: ""}).order_by("pk")
        for row in (rows.select_for_update() if lock else rows).iterator(chunk_size=500):
            yield row, field


def _is_readable(text: str) -> bool:
    try:
        decrypt(text)
    except Unreadable:
        return False
    return True
