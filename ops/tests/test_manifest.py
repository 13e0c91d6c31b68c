from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import pytest
from pytest_django import Settings

from ops.backups.manifest import LENGTH, MAGIC, Manifest, head_of, read_head, sealings_of
from ops.backups.refusals import DoesNotFit, Foreign, Refused, Truncated, WrongKey

MANIFEST = Manifest(
    version="0.1.0",
    made_at="2026-11-28T03:12:00+00:00",
    database="sqlite",
    server="SQLite 3.40.1",
    migrations=[["ops", "0001_backups"]],
    tables={"agents_app_message": 7},
    messages=7,
    database_bytes=4096,
    files=1,
    file_bytes=10,
    secret_key="0123456789ab",
)


def read(head: bytes) -> Manifest:
    return read_head(io.BytesIO(head))[0]


def with_text(values: object) -> bytes:
    text = json.dumps(values).encode()
    return MAGIC + LENGTH.pack(len(text)) + text


def test_it_works() -> None:
    assert read_head(io.BytesIO(head_of(MANIFEST) + b"frames")) == (MANIFEST, head_of(MANIFEST))


def test_every_shorter_beginning_is_refused() -> None:
    whole = head_of(MANIFEST)
    for length in range(len(whole)):
        with pytest.raises(Refused):
            read(whole[:length])
    with pytest.raises(Truncated):
        read(whole[:-1])


@pytest.mark.parametrize("head", [b"", b"SQLite format 3\0", b"PK\x03\x04", bytes(1000), MAGIC + b"\xff\xff\xff\xff"])
def test_what_is_no_backup_is_foreign(head: bytes) -> None:
    with pytest.raises(Foreign):
        read(head)


@pytest.mark.parametrize(
    "change", [{"made_at": "yesterday"}, {"made_at": "2026-11-28T03:12:00"}, {"messages": "7"}, {"format": "1"}]
)
def test_a_manifest_of_somebody_else_is_foreign(change: dict[str, object]) -> None:
    for values in (asdict(MANIFEST) | change, {}, [], {"format": 1}):
        with pytest.raises(Foreign):
            read(with_text(values))


def test_a_newer_format_says_which_version_to_install() -> None:
    with pytest.raises(DoesNotFit, match=r"version 9\.0"):
        read(with_text({"format": 2, "version": "9.0"}))


def test_a_word_that_a_later_version_adds_is_ignored() -> None:
    assert read(with_text(asdict(MANIFEST) | {"mood": "cheerful"})) == MANIFEST


def test_what_is_encrypted_needs_a_key(settings: Settings) -> None:
    settings.BACKUP_KEY = ""
    with pytest.raises(WrongKey, match="name its key in BACKUP_KEY"):
        sealings_of(replace(MANIFEST, salt="00" * 16), b"")
