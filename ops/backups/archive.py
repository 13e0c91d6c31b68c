"""What is inside the frames: a gzipped tar of the database, the attached files, and a list of both with their checksums."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from ops.backups.refusals import Damaged, Truncated
from ops.backups.sealing import SealedReader, SealedWriter, Sealing

DATABASE = "database"
MEDIA = "media/"
CONTENTS = "contents.json"  # the last member
CONTENTS_BYTES_MAX = 1 << 30
GZIP_LEVEL = 1  # a database halves at the first level; the others take several times as long for little more
CHUNK_BYTES = 1 << 20

Advance = Callable[[int], None]  # so many bytes more are done


@dataclass(slots=True)
class Contents:
    files: dict[str, tuple[int, str]] = field(default_factory=dict)  # name: bytes, SHA-256
    gone: list[str] = field(default_factory=list)  # deleted while the backup was made

    def __bool__(self) -> bool:
        return bool(self.files)


def write_archive(
    out: BinaryIO, sealing: Sealing, database: Path, media: Path, files: list[Path], advance: Advance
) -> Contents:
    """`files` are those of the folder `media` that are to be kept."""
    contents = Contents()
    sealed = SealedWriter(out, sealing)
    with (
        gzip.GzipFile(
            fileobj=cast("Any", sealed), mode="wb", compresslevel=GZIP_LEVEL, filename="", mtime=0
        ) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w|", bufsize=CHUNK_BYTES, format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, contents, DATABASE, database, advance)
        for file in files:
            try:
                _add(tar, contents, MEDIA + file.relative_to(media).as_posix(), file, advance)
            except FileNotFoundError:  # its conversation was deleted meanwhile
                contents.gone.append(file.relative_to(media).as_posix())
        listed = json.dumps({"files": contents.files, "gone": contents.gone}).encode()
        info = tarfile.TarInfo(CONTENTS)
        info.size = len(listed)
        tar.addfile(info, io.BytesIO(listed))
    sealed.finish()
    return contents


class _Counted:
    """A file that is read once: its checksum, and how far it got."""

    def __init__(self, file: BinaryIO, advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        self.size += len(data)
        self._advance(len(data))
        return data


def _add(tar: tarfile.TarFile, contents: Contents, name: str, file: Path, advance: Advance) -> None:
    with file.open("rb") as opened:
        info = tarfile.TarInfo(name)
        info.size = file.stat().st_size
        counted = _Counted(opened, advance)
        tar.addfile(info, cast("Any", counted))
    contents.files[name] = (counted.size, counted.digest.hexdigest())


def extract(source: BinaryIO, sealings: list[Sealing], folder: Path, advance: Advance) -> Contents:
    """Unpack into an empty folder: `database`, and `media/`. Returns only when all of it is what was written."""
    found: dict[str, tuple[int, str]] = {}
    listed: Contents | None = None
    with _explained(), io.BufferedReader(SealedReader(source, sealings), CHUNK_BYTES) as frames:
        with gzip.GzipFile(fileobj=frames) as plain:
            for info, member in _members(plain):
                if listed is not None or not info.isreg():
                    raise Damaged(f"{info.name} should not be in this backup. {Damaged.__doc__}")
                if info.name == CONTENTS:
                    listed = _listed(member.read(CONTENTS_BYTES_MAX))
                else:
                    found[info.name] = _save(member, _place(folder, info.name), advance)
            while plain.read(CHUNK_BYTES):  # what tar pads its end with
                pass
        while frames.read(CHUNK_BYTES):
            pass
    if listed is None:
        raise Truncated(Truncated.__doc__)
    if found != listed.files:
        wrong = sorted(name for name in found.keys() | listed.files.keys() if found.get(name) != listed.files.get(name))
        raise Damaged(f"{wrong[0]} in this backup is damaged. {Damaged.__doc__}")
    return listed


def _members(plain: gzip.GzipFile) -> Iterator[tuple[tarfile.TarInfo, BinaryIO]]:
    with tarfile.open(fileobj=plain, mode="r|", bufsize=CHUNK_BYTES) as tar:
        for info in tar:
            yield info, cast("BinaryIO", tar.extractfile(info) or io.BytesIO())


@contextmanager
def _explained() -> Iterator[None]:
    """Every frame was proven before, so that these are for archives that somebody made with another program."""
    try:
        yield
    except EOFError:
        raise Truncated(Truncated.__doc__) from None
    except (gzip.BadGzipFile, zlib.error, tarfile.TarError) as error:
        raise Damaged(f"This backup cannot be unpacked ({error}). {Damaged.__doc__}") from None


def _listed(text: bytes) -> Contents:
    try:
        values = json.loads(text)
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in values["files"].items()}
        return Contents(files, [str(name) for name in values["gone"]])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Damaged(f"The list of files in this backup is damaged. {Damaged.__doc__}") from None


def _place(folder: Path, name: str) -> Path:
    """Never outside the folder, whatever the archive says."""
    parts = PurePosixPath(name).parts
    inside = name == DATABASE or (name.startswith(MEDIA) and len(parts) > 1)
    if not inside or ".." in parts or "\\" in name or "\0" in name:
        raise Damaged(f"{name!r} should not be in this backup. {Damaged.__doc__}")
    return folder.joinpath(*parts)


def _save(member: BinaryIO, place: Path, advance: Advance) -> tuple[int, str]:
    place.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with place.open("xb") as out:
        while data := member.read(CHUNK_BYTES):
            out.write(data)
            digest.update(data)
            size += len(data)
            advance(len(data))
    return size, digest.hexdigest()
