"""The commands in this process; `tkr_chat/tests/backups` runs them as operators do, and restores."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from agents_app.actions.attachments import save_attachment
from agents_app.models import Attachment
from agents_app.runtime.owner import this_process
from ops.access import last_proof
from ops.backups import making
from ops.backups.stores import DiskStore
from ops.backups.workplace import workplace
from ops.models import Backup

pytestmark = pytest.mark.django_db(transaction=True)


def report_of(*command: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*command, "--json", stdout=out)
    return json.loads(out.getvalue())


def refused(*command: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*command, "--json", stdout=out)
    assert ended.value.code == 1
    report = json.loads(out.getvalue())
    assert not report["ok"]
    return str(report["error"])


def test_it_works(ada: User, store: DiskStore) -> None:
    save_attachment(uuid4(), b"a picture", filename="picture.png")

    made = report_of("backup")
    proof = report_of("verifybackup")

    assert proof["name"] == made["name"] and (proof["files"], proof["missing_files"]) == (1, 0)
    row = Backup.objects.get()
    assert (row.state, row.proof, row.database, row.size) == ("whole", "proven", connection.vendor, made["bytes"])
    shown = last_proof()
    assert shown and shown.name == made["name"] and str(shown).endswith("UTC, 0 messages")
    [listed] = report_of("listbackups")["backups"]
    assert (listed["name"], listed["proof"], listed["problem"]) == (made["name"], "proven", "")
    assert [file.name for file in store.folder.iterdir() if not file.name.startswith(".")] == [made["name"]]


def test_it_is_for_its_owner_only_and_leaves_no_work_behind(ada: User, store: DiskStore) -> None:
    made = report_of("backup", "--prove")

    assert (store.folder / made["name"]).stat().st_mode & 0o077 == 0
    assert list(store.folder.glob(".work-*")) == [] and list(store.folder.glob("*.part")) == []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE current_database() || '%%beside%%'")
            assert cursor.fetchall() == []
    else:
        assert list(Path(connection.settings_dict["NAME"]).parent.glob("*beside*")) == []


def test_encrypted_it_needs_its_key(ada: User, store: DiskStore, settings: Settings) -> None:
    settings.BACKUP_KEY = "a long key that is kept elsewhere"
    made = report_of("backup", "--prove")
    assert made["encrypted"]

    settings.BACKUP_KEY, settings.BACKUP_KEY_FALLBACKS = "a new key", ["a long key that is kept elsewhere"]
    assert report_of("verifybackup")["ok"]

    settings.BACKUP_KEY_FALLBACKS = []
    assert "BACKUP_KEY_FALLBACKS" in refused("verifybackup")
    assert Backup.objects.get().proof == "failed"


def test_a_damaged_one_is_not_proven(ada: User, store: DiskStore) -> None:
    file = store.folder / report_of("backup")["name"]
    whole = file.read_bytes()

    file.write_bytes(whole[:-10] + bytes([whole[-10] ^ 1]) + whole[-9:])
    assert "damaged" in refused("verifybackup")

    file.write_bytes(whole[:-10])
    assert "The end of this backup is missing" in refused("verifybackup")
    assert (Backup.objects.get().proof, last_proof()) == ("failed", None)

    file.write_bytes(b"a holiday picture")
    assert "no backup of this product" in refused("verifybackup", str(file))
    assert "no backup of this product" in report_of("listbackups")["backups"][0]["problem"]


def test_a_file_that_was_never_there_is_counted(ada: User, store: DiskStore) -> None:
    save_attachment(uuid4(), b"a picture")
    Path(Attachment.objects.get().file.path).unlink()

    report_of("backup")

    assert report_of("verifybackup")["missing_files"] == 1


def test_one_is_made_at_a_time(ada: User, store: DiskStore) -> None:
    with workplace():
        assert "wait until it is done" in refused("backup")
    assert Backup.objects.get().state == "failed"


def test_what_a_killed_one_left_is_cleared_away(ada: User, store: DiskStore) -> None:
    left = store.folder / ".work-1"
    left.mkdir(parents=True)
    (left / "database").write_bytes(b"half")

    report_of("backup")

    assert not left.exists()


def test_a_place_that_cannot_be_written_is_named(
    ada: User, store: DiskStore, settings: Settings, tmp_path: Path
) -> None:
    settings.BACKUP_DIR = tmp_path / "file"
    settings.BACKUP_DIR.write_text("no folder")

    assert "cannot be written" in refused("backup")


def test_a_full_disk_leaves_nothing_half_done(ada: User, store: DiskStore, settings: Settings) -> None:
    """/dev/full says that the disk is full, as a full disk does."""
    store.folder.mkdir()
    name = making.new_name()
    (store.folder / f".{name}.part").symlink_to("/dev/full")
    Backup.objects.create(name=name, made_at=datetime.now(UTC))

    assert "No space left on device" in refused("backup", "--name", name)

    assert Backup.objects.get().state == "failed"
    assert [file.name for file in store.folder.iterdir()] == [".lock"]


def test_there_must_be_one_to_prove(db: None, store: DiskStore) -> None:
    assert "There is no backup in" in refused("verifybackup")
    assert "cannot be read" in refused("verifybackup", "tkr-nothing.backup")
    assert report_of("listbackups")["backups"] == []


def test_old_ones_are_pruned_and_the_last_proven_stays(ada: User, store: DiskStore, settings: Settings) -> None:
    first = report_of("backup", "--prove")["name"]
    second, third = report_of("backup")["name"], report_of("backup")["name"]

    kept = report_of("prunebackups", "--days=1", "--weeks=0", "--months=0", "--dry-run")
    assert kept["deleted"] == [] or second in kept["deleted"]
    assert len(store.sizes()) == 3, "a dry run deletes nothing"

    report = report_of("prunebackups", "--days=0", "--weeks=0", "--months=0")
    assert set(store.sizes()) == set(report["kept"]) >= {first}
    assert Backup.objects.filter(state="gone").count() == len(report["deleted"]) == 3 - len(report["kept"])
    assert {first, second, third} == {*report["kept"], *report["deleted"]}


def test_the_ledger_follows_the_store(ada: User, store: DiskStore) -> None:
    name = report_of("backup")["name"]
    Backup.objects.all().delete()
    report_of("listbackups")
    assert Backup.objects.get().state == "whole"

    (store.folder / name).unlink()
    report_of("listbackups")
    assert Backup.objects.get().state == "gone"


def test_one_whose_process_was_killed_is_known_to_have_failed(ada: User, store: DiskStore) -> None:
    owner = making.__name__  # no process
    dead = Backup.objects.create(name="tkr-dead.backup", made_at=datetime.now(UTC) - timedelta(hours=1), owner=owner)
    report_of("listbackups")
    dead.refresh_from_db()
    assert dead.state == "running", "who may be on another machine is not known to be dead"

    process = os.fork()
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)
    here = this_process().rsplit("/", 2)[0]
    Backup.objects.update(owner=f"{here}/{process}/1")
    report_of("listbackups")
    dead.refresh_from_db()
    assert (dead.state, "ended before" in dead.error) == ("failed", True)


def test_people_read_sentences(ada: User, store: DiskStore) -> None:
    out = StringIO()
    for command in (["listbackups"], ["backup", "--prove"], ["verifybackup"], ["listbackups"], ["prunebackups"]):
        call_command(*command, stdout=out)

    said = out.getvalue()
    assert "There is no backup in" in said and "Backed up 0 messages to" in said and "is proven: 0 messages" in said
    assert "Last proven restore: 20" in said and "Deleted 0 of 1 backups" in said


@pytest.mark.parametrize("name", ["backup", "restore", "verifybackup", "listbackups", "prunebackups"])
def test_help_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(name, "--help")
    assert f"examples:\n  manage.py {name}" in capsys.readouterr().out


def test_restore_asks_first(ada: User, store: DiskStore) -> None:
    assert "say --yes" in refused("restore", "latest") or "There is no backup" in refused("restore", "latest")
    report_of("backup")
    assert "say --yes" in refused("restore", "latest")
    assert store.folder == django_settings.BACKUP_DIR
