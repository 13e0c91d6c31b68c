"""What docs/a2a.md shows is run as it stands there, against a server of our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from django.conf import settings

from tkr_chat.tests.a2a.site import Site
from tkr_chat.tests.processes import environment

PAGE = settings.BASE_DIR / "docs" / "a2a.md"
STARTED_ALREADY = ("A2A_GRPC_URL=", "python manage.py rungrpc")
SECONDS = 60


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in found if block.strip()]


def commands(block: str) -> str:
    return "".join(line for line in block.splitlines(keepends=True) if not line.startswith(STARTED_ALREADY))


SHELL = [block for block in map(commands, blocks("sh")) if block.strip()]


@contextmanager
def program(home: Site) -> Iterator[dict[str, str]]:
    """As somebody at a terminal of this machine has it."""
    done = httpx.post(
        f"{home.address}/a2a/phil/v1/message:send",
        headers={"A2A-Version": "1.0"},
        json={"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "Hello!"}]}},
        timeout=SECONDS,
    ).json()
    yield environment(home.data, **home.variables) | {"ID": done["task"]["id"]}


def run(home: Site, command: list[str]) -> str:
    with program(home) as variables:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, timeout=SECONDS
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(text: str, home: Site) -> str:
    return text.replace("http://127.0.0.1:8000", home.address)


@pytest.mark.parametrize("block", SHELL, ids=[re.sub(r"\W+", "-", block)[:40] for block in SHELL])
def test_commands(home: Site, block: str) -> None:
    python = f'python() {{ {sys.executable} "$@"; }}\n'
    curl = 'curl() { command curl --silent --show-error --fail-with-body "$@"; echo; }\n'
    said = run(home, ["bash", "-eu", "-c", python + curl + here(block, home)])

    assert said.strip() and "error" not in said.lower(), said
    for line in filter(None, said.splitlines()):
        if line.startswith(("{", "[")):
            json.loads(line)


def test_there_is_something_to_run() -> None:
    assert len(SHELL) >= 6 and len(blocks("python")) == 2


@pytest.mark.parametrize("number", [0, 1], ids=["over HTTP", "over gRPC"])
def test_python(home: Site, number: int) -> None:
    said = run(home, [sys.executable, "-c", here(blocks("python")[number], home)])
    assert "TASK_STATE_COMPLETED" in said


@pytest.mark.node
def test_javascript(home: Site, node: str) -> None:
    [block] = blocks("js")
    modules = settings.BASE_DIR / "tkr_chat" / "tests" / "a2a" / "js"
    script = [node, "--input-type=module", "-e", here(block, home)]
    done = subprocess.run(script, cwd=modules, env=dict(os.environ), capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "TASK_STATE_COMPLETED" in done.stdout, done.stderr + done.stdout[-500:]
