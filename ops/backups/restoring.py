from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from ops.backups.databases import Config, standing_in, the_database
from ops.backups.manifest import Manifest, secret_key_mark
from ops.backups.progress import Progress, unseen
from ops.backups.proving import compare, unpack
from ops.backups.stores import Store
from ops.backups.workplace import workplace


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    kept: str  # what was there before; empty: nothing
    missing_files: int
    other_secret_key: bool


def restore_backup(store: Store, name: str, progress: Progress = unseen, *, up_to_date: bool = True) -> Restored:
    """The present data stays as it is until the last step, which is done at once or not at all.

    1. Unpack, and refuse what is damaged, foreign, newer or of another kind of database.
    2. Fill a database beside the present one, and prove it.
    3. Bring it up to this version; unless `up_to_date` is false, which is for an older program.
    4. See that nobody is connected to the present one.
    5. Add the files that are not there: nothing names them yet, so that they harm nobody if it ends here.
    6. Put the new database in the place of the present one, which is kept.
    """
    with workplace() as folder:
        database = the_database()
        database.require_nobody()  # also now: better to be told before the work than after it
        manifest = unpack(store, name, folder, progress)
        database.drop_left_over()
        config = database.beside("restore")
        try:
            database.load(folder / "database", config)
            progress("Comparing", 0, 1)
            missing = compare(database, config, manifest, folder / "media")
            progress("Comparing", 1, 1)
            if up_to_date:
                _bring_up_to_date(config)
            database.require_nobody()
            _add_files(folder / "media", settings.MEDIA_ROOT, progress)
            kept = database.swap(config)
        except BaseException:
            database.drop(config)
            raise
    return Restored(manifest, kept, len(missing), manifest.secret_key != secret_key_mark(settings.SECRET_KEY))


def _bring_up_to_date(config: Config) -> None:
    with standing_in(config):
        call_command("migrate", interactive=False, verbosity=0)
        connection.close()


def _add_files(source: Path, media: Path, progress: Progress) -> None:
    """A file that is there already is the same: its name is an id that is never used again."""
    files = [file for file in source.rglob("*") if file.is_file()]
    for number, file in enumerate(files, 1):
        place = media / file.relative_to(source)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_name(f".{place.name}.part")
            shutil.copyfile(file, draft)
            draft.replace(place)
        progress("Adding files", number, len(files))
