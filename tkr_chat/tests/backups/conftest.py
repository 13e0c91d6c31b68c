from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tkr_chat.tests.backups.installation import Installation, installed


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Has a message and a file that must not be lost. To be copied: preparing takes seconds."""
    with installed(tmp_path_factory.mktemp("installations") / "prepared") as prepared:
        prepared.run("prepare")
        prepared.say("before the backup")
        yield prepared


@pytest.fixture
def here(prepared: Installation, tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "here", prepared) as here:
        yield here


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[str], Installation]]:
    """Makes an empty installation of that name."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(installed(tmp_path / name))
