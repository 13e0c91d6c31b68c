"""The README's table "Where is …?" leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

CODE = re.compile(r"`([^`]+)`")


def rows() -> list[tuple[str, list[str], str]]:
    """What is looked for, the files named, and the name to be found in one of them."""
    text = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    section = text.split("## Where is …?", 1)[1].split("\n## ", 1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [(what, CODE.findall(files), name.strip("`")) for what, files, name in cells[2:]]


def file(path: str) -> Path:
    return settings.BASE_DIR / path


def test_it_works() -> None:
    assert len(rows()) > 20, "the table was not understood, or has been lost"


@pytest.mark.parametrize(("what", "files", "name"), rows(), ids=[what for what, _, _ in rows()])
def test_a_row_leads_somewhere(what: str, files: list[str], name: str) -> None:
    assert files, f"{what}: names no file"
    missing = [path for path in files if not file(path).is_file()]
    assert not missing, f"{what}: {missing} is not there"
    texts = [file(path).read_text(encoding="utf-8") for path in files]
    assert any(re.search(rf"\b{name}\b", text) for text in texts), f"{what}: nothing is called {name} there"
