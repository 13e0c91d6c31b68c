from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from ops.backups.archive import write_archive
from ops.backups.databases import the_database
from ops.backups.manifest import Manifest, head_of, new_salt, sealing_for, secret_key_mark
from ops.backups.progress import Advancing, Progress, unseen
from ops.backups.snapshots import Snapshot
from ops.backups.stores import SUFFIX, Store
from ops.backups.workplace import require_space, workplace


@dataclass(frozen=True, slots=True)
class Made:
    name: str
    size: int
    manifest: Manifest


def new_name() -> str:
    """Sorts by time."""
    return f"tkr-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}{SUFFIX}"


def make_backup(store: Store, name: str, progress: Progress = unseen) -> Made:
    """1. Copy the database, as of one moment. 2. List the files: whatever a row of the copy names was saved before the row.
    3. Write both to the store, where the backup appears when it is whole."""
    with workplace() as folder:
        database = the_database()
        require_space(folder, database.size())
        copy = folder / "database"
        made_at = datetime.now(UTC)
        snapshot = database.snapshot(copy, lambda done, whole: progress("Copying the database", done, whole))
        files = _files(settings.MEDIA_ROOT)
        manifest = _manifest(made_at, database.vendor, snapshot, copy, files)
        head = head_of(manifest)
        advance = Advancing(progress, "Writing the backup", manifest.database_bytes + manifest.file_bytes)
        with store.writing(name) as out:
            out.write(head)
            write_archive(out, sealing_for(manifest, head), copy, settings.MEDIA_ROOT, files, advance)
            size = out.tell()
    return Made(name, size, manifest)


def _files(media: Path) -> list[Path]:
    """Without what is only being written."""
    return sorted(file for file in media.rglob("*") if file.is_file() and not file.name.startswith("."))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _manifest(made_at: datetime, vendor: str, snapshot: Snapshot, copy: Path, files: list[Path]) -> Manifest:
    return Manifest(
        version=settings.VERSION,
        made_at=made_at.isoformat(timespec="milliseconds"),
        database=vendor,
        server=snapshot.server,
        migrations=snapshot.migrations,
        tables=snapshot.tables,
        messages=snapshot.messages,
        database_bytes=copy.stat().st_size,
        files=len(files),
        file_bytes=sum(map(_size, files)),
        secret_key=secret_key_mark(settings.SECRET_KEY),
        salt=new_salt(),
    )
