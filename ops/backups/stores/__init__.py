"""Where backups are kept. A store has whole backups only: what is being written has another name, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from ops.backups.manifest import HEAD_BYTES_MAX, Manifest, read_head
from ops.backups.refusals import NoSuchBackup, Refused
from ops.backups.stores.disk import DiskStore

SUFFIX = ".backup"


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in a store."""

    name: str
    size: int
    manifest: Manifest | None  # None: it cannot be read, and `problem` says why
    problem: str = ""


class Store(Protocol):
    where: str  # for people

    def sizes(self) -> dict[str, int]:
        """Bytes of each file, by name."""
        ...

    def reading(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Raises `NoSuchBackup`."""
        ...

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The file is there when the block ends well, and not at all when it does not."""
        ...

    def delete(self, name: str) -> None: ...


def the_store() -> Store:
    """The one that the settings name."""
    if not settings.BACKUP_S3_URL:
        return DiskStore(settings.BACKUP_DIR)
    from ops.backups.stores.s3 import S3Store  # noqa: PLC0415  (loads an HTTP client that the disk does not need)

    return S3Store.of_settings()


def find_place(name: str) -> tuple[Store, str]:
    """A name in the store, or the path of a file anywhere."""
    path = Path(name)
    if path.name != name or (not settings.BACKUP_S3_URL and not name.endswith(SUFFIX) and path.is_file()):
        return DiskStore(path.resolve().parent), path.name
    return the_store(), name


def list_kept(store: Store) -> list[Kept]:
    """Newest first."""
    names = {name: size for name, size in store.sizes().items() if name.endswith(SUFFIX)}
    return [look_at(store, name, names[name]) for name in sorted(names, reverse=True)]


def look_at(store: Store, name: str, size: int) -> Kept:
    try:
        with store.reading(name) as source:
            return Kept(name, size, read_head(source)[0])
    except Refused as refusal:
        return Kept(name, size, None, str(refusal))


@contextmanager
def opened(store: Store, name: str) -> Iterator[tuple[BinaryIO, Manifest, bytes]]:
    """The manifest, its bytes, and the source that stands at the first frame behind them."""
    with store.reading(name) as source:
        yield (source, *read_head(source))


__all__ = [
    "HEAD_BYTES_MAX",
    "SUFFIX",
    "DiskStore",
    "Kept",
    "NoSuchBackup",
    "Store",
    "find_place",
    "list_kept",
    "look_at",
    "opened",
    "the_store",
]
