"""A command is waited for: it loads what it needs, and not all that a server has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tkr_chat.tests.processes import python
from tkr_chat.tests.server import prepared

HEAVY = {
    "pydantic_ai",
    "a2a.client",
    "grpc",
    "httpx",
    "redis",
    "trafilatura",
    "ninja",
    "chat.views",
    "agents_app.tools",
}


def loaded_by(data: Path, *command: str) -> set[str]:
    done = python(data, "-X", "importtime", "manage.py", *command)
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_it_works(tmp_path: Path) -> None:
    """Django's checks load every page, and the agents with their tools, but nothing that thinks or reads."""
    loaded = loaded_by(tmp_path, "check")
    assert HEAVY - loaded == {"pydantic_ai", "trafilatura"}


@pytest.mark.parametrize(
    "command", [("poolstatus", "--json"), ("createtoken", "admin", "nightly")], ids=lambda of: of[0]
)
def test_a_command_loads_little(data: Path, command: tuple[str, ...]) -> None:
    assert loaded_by(data, *command) & HEAVY == set()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("data"))
