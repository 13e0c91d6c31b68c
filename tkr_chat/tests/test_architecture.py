from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("tkr_chat", "ops", "metrics", "chat", "agents_app", "accounts")
READS_ENVIRONMENT = {"environ", "environb", "getenv"}


def sources() -> list[Path]:
    files = [file for app in APPS for file in (ROOT / app).rglob("*.py")]
    return [file for file in files if not {"tests", "migrations"} & set(file.relative_to(ROOT).parts)]


def test_it_works() -> None:
    assert len(sources()) > 50, "need the whole tree for these tests to mean anything"


def test_an_app_imports_only_what_is_to_its_right() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout


def test_only_the_settings_read_the_environment() -> None:
    allowed = {ROOT / "tkr_chat" / name for name in ("env.py", "settings.py", "asgi.py")}  # asgi.py: names settings.py
    readers = {
        file
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in READS_ENVIRONMENT and ast.unparse(node.value) == "os"
    }

    assert readers <= allowed


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(*files: str) -> dict[str, str]:
    found = re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", "\n".join((ROOT / file).read_text() for file in files), re.MULTILINE
    )
    return {canonical(name): version for name, version in found}


def test_every_requirement_is_pinned() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "requirements-llm.txt", "constraints.txt"):
        for line in (ROOT / file).read_text().splitlines():
            assert not line or line.startswith(("#", "-")) or "==" in line, f"{file}: {line}"


def test_what_runs_here_is_what_is_pinned() -> None:
    pinned = pins("requirements.txt", "requirements-dev.txt", "constraints.txt")
    installed = {canonical(found.name): found.version for found in metadata.distributions()}

    assert {name: installed.get(name) for name in pinned} == pinned


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-llm.txt"])
def test_every_direct_requirement_has_its_reason(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if "==" in line]

    assert [line for line in lines if "#" not in line and not line.startswith("Django==")] == []
