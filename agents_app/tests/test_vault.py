from __future__ import annotations

from typing import Any

import pytest

from agents_app.vault import Unreadable, decrypt, encrypt


def test_it_works() -> None:
    kept = encrypt("s3cret ✓")

    assert "s3cret" not in kept and decrypt(kept) == "s3cret ✓"


def test_another_key_reads_nothing(settings: Any) -> None:
    kept = encrypt("s3cret")
    settings.SECRET_KEY = "another" * 8

    with pytest.raises(Unreadable, match="enter the secret again"):
        decrypt(kept)


def test_a_former_key_still_reads(settings: Any) -> None:
    kept = encrypt("s3cret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, [settings.SECRET_KEY]

    assert decrypt(kept) == "s3cret"
