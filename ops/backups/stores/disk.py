from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ops.backups.refusals import CannotStore, NoSuchBackup


class DiskStore:
    """A folder, of this machine or mounted from another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)

    def sizes(self) -> dict[str, int]:
        if not self.folder.is_dir():
            return {}
        return {file.name: file.stat().st_size for file in self.folder.iterdir() if _is_kept(file)}

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        try:
            file = self._path(name).open("rb")
        except OSError as error:
            raise NoSuchBackup(f"{self.folder / name} cannot be read ({error.strerror}).") from None
        with file:
            yield file

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Written aside and renamed, both safe from a power cut. Readable by its owner only."""
        path, draft = self._path(name), self._path(f".{name}.part")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            draft.rename(path)
            sync_folder(self.folder)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise CannotStore(
                f"{self.folder} cannot be written ({error.strerror}): make room, or name another place in BACKUP_DIR."
            ) from error
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if Path(name).name != name:
            raise NoSuchBackup(f"{name!r} is no name of a backup.")
        return self.folder / name


def sync_folder(folder: Path) -> None:
    """A rename is safe when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_kept(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".")
