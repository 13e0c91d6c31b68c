from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.backups.manifest import MAGIC
from tkr_chat.tests.backups.installation import Installation
from tkr_chat.tests.server import serving

Install = Callable[[str], Installation]


def changed(file: Path, change: Callable[[bytes], bytes]) -> Path:
    """A copy of a backup, with something done to it."""
    copy = file.with_name(f"changed-{file.name}")
    copy.write_bytes(change(file.read_bytes()))
    return copy


def test_it_works(here: Installation) -> None:
    made = here.report("backup")
    here.say_more("after the backup")
    assert here.said() == ["after the backup", "before the backup"]

    restored = here.report("restore", made["name"], "--yes")

    assert here.said() == ["before the backup"]
    assert (restored["messages"], restored["missing_files"], restored["other_secret_key"]) == (1, 0, False)
    assert len(here.databases()) == 2, "the data of before is kept, and nothing else is left"
    [listed] = here.report("listbackups")["backups"]
    assert (listed["name"], listed["proof"]) == (made["name"], "proven")


def test_the_data_of_before_is_kept(here: Installation) -> None:
    here.run("backup")
    here.say_more("after the backup")
    kept = here.report("restore", "latest", "--yes")["kept"]

    assert here.said(kept) == ["after the backup", "before the backup"]


def test_a_new_server_takes_it(here: Installation, install: Install) -> None:
    made = here.report("backup", BACKUP_KEY="a key that is kept elsewhere")
    there = install("there")

    restored = there.report(
        "restore", str(here.backups / made["name"]), "--yes", BACKUP_KEY="a key that is kept elsewhere"
    )

    assert there.said() == ["before the backup"]
    assert restored["other_secret_key"], "it has made a key of its own"
    assert here.said() == ["before the backup"]


def test_what_is_damaged_cut_off_foreign_or_locked_is_refused(here: Installation) -> None:
    file = here.backups / here.report("backup")["name"]
    encrypted = here.backups / here.report("backup", BACKUP_KEY="a key")["name"]
    here.say_more("after the backup")
    databases = here.databases()

    middle = file.stat().st_size * 3 // 4
    wrong = {
        "damaged": changed(file, lambda it: it[:middle] + bytes([it[middle] ^ 1]) + it[middle + 1 :]),
        "The end of this backup is missing": changed(encrypted, lambda it: it[:-1]),
        "no backup of this product": here.data / "secret-key",
        "name its key in BACKUP_KEY": encrypted,
        "cannot be read": here.backups / "tkr-nothing.backup",
    }
    for why, path in wrong.items():
        key = {"BACKUP_KEY": "a key"} if path.name.startswith("changed") and "end" in why else {}
        assert why in here.refused("restore", str(path), "--yes", **key)

    assert here.said() == ["after the backup", "before the backup"]
    assert here.databases() == databases
    assert list(here.backups.glob(".work-*")) == []


def test_what_is_newer_is_refused(here: Installation) -> None:
    made = here.report("backup", DJANGO_SETTINGS_MODULE="tkr_chat.tests.backups.newer")
    here.say_more("after the backup")

    why = here.refused("restore", made["name"], "--yes")

    assert "was made by version 99.0.0" in why and "install that version first" in why
    assert here.said() == ["after the backup", "before the backup"]


def test_what_has_a_migration_that_is_not_here_is_refused(here: Installation) -> None:
    shell = "from django.db.migrations.recorder import MigrationRecorder as R; from django.db import connection; "
    here.run("shell", "--no-imports", "-c", shell + "R(connection).record_applied('ops', '0999_later')")
    made = here.report("backup")

    assert "ops.0999_later" in here.refused("restore", made["name"], "--yes")


def test_another_kind_of_database_is_refused(here: Installation, install: Install) -> None:
    file = here.backups / here.report("backup")["name"]
    other = {"sqlite": b'"database":"postgresql"', "postgresql": b'"database":"sqlite"'}
    mine = "postgresql" if here.database_url else "sqlite"
    foreign = changed(file, lambda it: resized(it, f'"database":"{mine}"'.encode(), other[mine]))

    assert "and DATABASE_URL names one of" in here.refused("restore", str(foreign), "--yes")


def resized(backup: bytes, old: bytes, new: bytes) -> bytes:
    """With another word in its manifest, and the manifest's length made to fit."""
    start = len(MAGIC)
    length = int.from_bytes(backup[start : start + 4]) + len(new) - len(old)
    assert old in backup
    return MAGIC + length.to_bytes(4) + backup[start + 4 :].replace(old, new, 1)


def test_a_manifest_that_somebody_changed_is_refused(here: Installation) -> None:
    file = here.backups / here.report("backup")["name"]
    changed_file = changed(file, lambda it: it.replace(b'"messages":1,', b'"messages":2,', 1))

    assert "damaged" in here.refused("restore", str(changed_file), "--yes")
    assert here.said() == ["before the backup"]


def test_while_a_server_runs_nothing_is_changed(here: Installation) -> None:
    here.run("backup")
    with serving(here.data, "--no-link", **here.variables) as server:
        assert "is ready" in server.banner
        assert "stop the server" in here.refused("restore", "latest", "--yes")
        assert here.report("verifybackup")["messages"] == 1, "a proof needs nobody to stop"

    assert here.said() == ["before the backup"]


@pytest.mark.parametrize("moment", ["unpacking", "beside", "filled"])
def test_killed_half_way_the_present_data_is_untouched(here: Installation, moment: str) -> None:
    """With kill -9, once it unpacks, once the new database is there, and when that has something in it."""
    made = here.report("backup")
    here.say_more("after the backup")
    assert here.databases() == here.databases()[:1], "need to see what is beside it for this test to mean anything"
    ready = {
        "unpacking": lambda: any(here.backups.glob(".work-*/database")),
        "beside": lambda: len(here.databases()) > 1,
        "filled": lambda: len(here.databases()) > 1 and not any(here.backups.glob(".work-*/nothing")),
    }[moment]

    assert here.kill_when(["restore", made["name"], "--yes"], ready)

    assert here.said() == ["after the backup", "before the backup"]
    here.run("restore", made["name"], "--yes")
    assert here.said() == ["before the backup"]
    assert len(here.databases()) == 2, "what the killed one left is gone"
    assert list(here.backups.glob(".work-*")) == []


def test_a_backup_that_is_killed_leaves_none(here: Installation) -> None:
    assert here.kill_when(["backup"], lambda: any(here.backups.glob(".work-*/database")))

    assert here.report("listbackups")["backups"] == []
    assert here.report("backup")["messages"] == 1


def test_an_older_one_is_brought_up_to_date(here: Installation) -> None:
    """As it was before `ops` had a table."""
    here.run("migrate", "ops", "zero")
    shutil.rmtree(here.backups, ignore_errors=True)
    here.run("shell", "--no-imports", "-c", MAKE)
    here.run("migrate")

    here.run("restore", "tkr-old.backup", "--yes")

    assert here.said() == ["before the backup"]
    assert here.report("listbackups")["backups"][0]["proof"] == "proven"


MAKE = (
    "from ops.backups.making import make_backup; from ops.backups.stores import the_store; "
    "make_backup(the_store(), 'tkr-old.backup')"
)
