from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from ops.backups.archive import extract, write_archive
from ops.backups.refusals import Damaged, Refused, Truncated
from ops.backups.sealing import Chain, SealedWriter

HEAD = b"head"


def unseen(amount: int) -> None:
    pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "database").write_bytes(b"rows" * 1000)
    for name in ("a/one", "b/two"):
        file = tmp_path / "media" / name
        file.parent.mkdir(parents=True)
        file.write_text(name)
    return tmp_path


def archived(source: Path, files: list[str]) -> bytes:
    out, media = io.BytesIO(), source / "media"
    write_archive(out, Chain(HEAD), source / "database", media, [media / name for name in files], unseen)
    return out.getvalue()


def made_elsewhere(members: list[tarfile.TarInfo], contents: object = None) -> bytes:
    """Sealed rightly, and never written by this product."""
    out = io.BytesIO()
    sealed = SealedWriter(out, Chain(HEAD))
    with gzip.GzipFile(fileobj=sealed, mode="wb") as plain, tarfile.open(fileobj=plain, mode="w|") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
        if contents is not None:
            listed = json.dumps(contents).encode()
            info = tarfile.TarInfo("contents.json")
            info.size = len(listed)
            tar.addfile(info, io.BytesIO(listed))
    sealed.finish()
    return out.getvalue()


def unpacked(archive: bytes, folder: Path):
    return extract(io.BytesIO(archive), [Chain(HEAD)], folder, unseen)


def test_it_works(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("unpacked")

    contents = unpacked(archived(source, ["a/one", "b/two"]), folder)

    assert (folder / "database").read_bytes() == b"rows" * 1000
    assert (folder / "media/a/one").read_text() == "a/one" and (folder / "media/b/two").read_text() == "b/two"
    assert len(contents.files) == 3 and contents.gone == []


def test_a_file_that_was_deleted_meanwhile_is_named(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    contents = unpacked(archived(source, ["a/one", "a/deleted"]), tmp_path_factory.mktemp("unpacked"))

    assert contents.gone == ["a/deleted"] and set(contents.files) == {"database", "media/a/one"}


@pytest.mark.parametrize(
    "name", ["../outside", "media/../../outside", "/etc/outside", "outside", "media/", "media/a\\b"]
)
def test_nothing_is_written_elsewhere(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()

    with pytest.raises(Damaged, match="should not be in this backup"):
        unpacked(made_elsewhere([tarfile.TarInfo(name)]), folder)

    assert list(tmp_path.rglob("outside")) == []


def test_links_and_second_copies_are_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("media/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(Damaged):
        unpacked(made_elsewhere([link]), tmp_path)
    with pytest.raises((Refused, FileExistsError)):
        unpacked(made_elsewhere([tarfile.TarInfo("database"), tarfile.TarInfo("database")]), tmp_path)


def test_without_its_list_it_is_not_whole(tmp_path: Path) -> None:
    with pytest.raises(Truncated):
        unpacked(made_elsewhere([tarfile.TarInfo("database")]), tmp_path)


@pytest.mark.parametrize(
    "contents",
    [[], {}, {"files": {}}, {"files": {"database": [0, "0"]}, "gone": []}, {"files": {"database": 1}, "gone": []}],
)
def test_a_wrong_list_is_found(contents: object, tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        unpacked(made_elsewhere([tarfile.TarInfo("database")], contents), tmp_path)


def test_what_is_no_archive_is_explained(tmp_path: Path) -> None:
    out = io.BytesIO()
    sealed = SealedWriter(out, Chain(HEAD))
    sealed.write(b"no gzip")
    sealed.finish()

    with pytest.raises(Damaged, match="cannot be unpacked"):
        unpacked(out.getvalue(), tmp_path)
