from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from pytest_django import Settings

from agents_app.actions.signing_keys import make_signing_key
from agents_app.models import SigningKey
from agents_app.vault import decrypt
from ops.secrets import ENCRYPTED, count_unreadable

pytestmark = pytest.mark.django_db


def report_of(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("rotatesecrets", *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_works(settings: Settings) -> None:
    make_signing_key()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new key", [settings.SECRET_KEY]

    assert report_of()["encrypted_anew"] == 1

    settings.SECRET_KEY_FALLBACKS = []
    assert "PRIVATE KEY" in decrypt(SigningKey.objects.get().private_pem)


def test_what_no_key_reads_is_left_and_told(settings: Settings) -> None:
    make_signing_key()
    settings.SECRET_KEY = "a new key"
    before = SigningKey.objects.get().private_pem

    with pytest.raises(SystemExit) as ended:
        report_of()

    assert (ended.value.code, count_unreadable()) == (1, 1)
    assert SigningKey.objects.get().private_pem == before


def test_every_encrypted_field_is_known() -> None:
    """They say so in their help text."""
    said = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if str(getattr(field, "help_text", "")).startswith("Encrypted")
    }

    assert said == set(ENCRYPTED)


def test_a_key_of_the_servers_own_is_replaced(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    file, former = tmp_path / "secret-key", tmp_path / "secret-keys-former"
    file.write_text(settings.SECRET_KEY)

    assert report_of("--new-key")["new_key"]
    assert former.read_text() == settings.SECRET_KEY != file.read_text()
    assert (file.stat().st_mode | former.stat().st_mode) & 0o077 == 0

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = file.read_text(), [settings.SECRET_KEY]
    assert report_of("--forget")["forgot"] and not former.exists()


def test_a_key_of_the_operator_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    with pytest.raises(SystemExit):
        report_of("--new-key")
    assert list(tmp_path.iterdir()) == []
