from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from ops.backups.refusals import CannotStore, NoSuchBackup
from ops.backups.stores import list_kept, s3, s3_bucket, the_store
from ops.backups.stores.disk import DiskStore
from ops.backups.stores.s3 import S3Store
from ops.backups.stores.s3_signing import Signer, canonical_query
from ops.models import Backup
from ops.tests.fake_s3 import SIGNER, FakeS3, fake_s3

PARTS = os.urandom(5 * 1024 * 1024)


@pytest.fixture
def storage() -> Iterator[FakeS3]:
    with fake_s3() as server:
        yield server


@pytest.fixture
def bucket(storage: FakeS3, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    settings.BACKUP_S3_URL = f"{storage.url}/folder of ours"
    settings.BACKUP_S3_REGION = SIGNER.region
    settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY = SIGNER.access_key, SIGNER.secret_key
    monkeypatch.setattr(s3, "PART_BYTES", 1024 * 1024)
    for module in (s3, s3_bucket):
        monkeypatch.setattr(module, "WAIT_SECONDS", 0.001)
    store = the_store()
    assert isinstance(store, S3Store)
    return store


def write(store: S3Store, name: str, data: bytes) -> None:
    with store.writing(name) as out:
        for start in range(0, len(data), 300_000):
            out.write(data[start : start + 300_000])


def read(store: S3Store, name: str) -> bytes:
    with store.reading(name) as source:
        return source.read()


@pytest.mark.parametrize("data", [b"small", PARTS, PARTS[: 3 * 1024 * 1024], b""])
def test_it_works(bucket: S3Store, storage: FakeS3, data: bytes) -> None:
    write(bucket, "tkr-1.backup", data)

    assert storage.objects == {"folder of ours/tkr-1.backup": data}
    assert read(bucket, "tkr-1.backup") == data and bucket.sizes() == {"tkr-1.backup": len(data)}
    bucket.delete("tkr-1.backup")
    assert (storage.objects, storage.uploads) == ({}, {})


def test_the_signature_is_what_amazon_says_it_is() -> None:
    """Its documentation, "Signature Calculations for the Authorization Header", the last two examples."""
    signer = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    now = datetime(2013, 5, 24, tzinfo=UTC)
    expected = {
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543": {"lifecycle": ""},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7": {"max-keys": "2", "prefix": "J"},
    }

    for signature, query in expected.items():
        headers = signer.headers("GET", "https://examplebucket.s3.amazonaws.com", query, b"", now)
        assert headers["authorization"].endswith(f"Signature={signature}")


def test_a_query_is_quoted_as_it_is_signed() -> None:
    assert canonical_query({"prefix": "a b/ü", "list-type": "2"}) == "list-type=2&prefix=a%20b%2F%C3%BC"


def test_long_lists_come_in_pages_and_other_folders_are_left_out(bucket: S3Store, storage: FakeS3) -> None:
    storage.objects = {f"folder of ours/tkr-{number}.backup": b"1" for number in range(5)}
    storage.objects |= {"folder of ours/deeper/tkr-9.backup": b"2", "another/tkr-8.backup": b"3"}

    assert set(bucket.sizes()) == {f"tkr-{number}.backup" for number in range(5)}


def test_it_is_tried_again_when_the_storage_stumbles(bucket: S3Store, storage: FakeS3) -> None:
    storage.failures = 3
    write(bucket, "tkr-1.backup", PARTS)
    storage.failures = 3
    assert bucket.sizes() == {"tkr-1.backup": len(PARTS)}


def test_a_download_that_breaks_is_taken_up_where_it_broke(bucket: S3Store, storage: FakeS3) -> None:
    write(bucket, "tkr-1.backup", PARTS)
    storage.cut_after = 3_000_000

    assert read(bucket, "tkr-1.backup") == PARTS
    assert sum(call.startswith("GET folder") for call in storage.calls) == 2


def test_what_ends_badly_leaves_nothing(bucket: S3Store, storage: FakeS3) -> None:
    with pytest.raises(RuntimeError), bucket.writing("tkr-1.backup") as out:
        out.write(PARTS)
        assert storage.uploads, "need something sent for this test to mean anything"
        raise RuntimeError

    assert (storage.objects, storage.uploads) == ({}, {})


def test_what_is_not_there_is_said(bucket: S3Store) -> None:
    with pytest.raises(NoSuchBackup, match="tkr-nothing"):
        read(bucket, "tkr-nothing.backup")


def test_a_wrong_key_a_wrong_address_and_silence_say_what_to_look_at(bucket: S3Store, settings: Settings) -> None:
    settings.BACKUP_S3_SECRET_KEY = "another"
    with pytest.raises(CannotStore, match=r"signature does not match.*BACKUP_S3_SECRET_KEY"):
        the_store().sizes()
    settings.BACKUP_S3_URL = "http://127.0.0.1:1/bucket"
    with pytest.raises(CannotStore, match="cannot be reached"):
        the_store().sizes()
    settings.BACKUP_S3_URL = "https://s3.example.com"
    with pytest.raises(CannotStore, match="names no bucket"):
        the_store()


@pytest.mark.django_db(transaction=True)
def test_backups_are_made_proven_and_pruned_there(
    bucket: S3Store, storage: FakeS3, store: DiskStore, ada: User
) -> None:
    for command in (["backup", "--prove"], ["backup"], ["listbackups"], ["prunebackups", "--days=0", "--weeks=0"]):
        call_command(*command, "--json")

    assert Backup.objects.filter(state="whole").count() == len(storage.objects) == 2
    assert all(kept.manifest for kept in list_kept(bucket))
    assert [file for file in store.folder.iterdir() if not file.name.startswith(".")] == []
