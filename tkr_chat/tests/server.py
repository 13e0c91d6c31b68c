"""A real server in a process of its own."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Timer

from django.conf import settings

from tkr_chat.tests.processes import SECONDS, environment, manage


class Server:
    """What it printed until it was ready, and how to reach it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.address = f"http://127.0.0.1:{port}"
        self.socket_address = f"ws://127.0.0.1:{port}/ws"
        self.banner = self._read_banner()

    @property
    def link(self) -> str:
        found = re.search(r"http\S+/sign-in/\S+", self.banner)
        assert found, self.banner
        return found[0]

    def _read_banner(self) -> str:
        """Three groups of lines, each with an empty line behind it."""
        assert self.process.stdout
        too_late = Timer(SECONDS, self.process.kill)  # ends the reading, too
        too_late.start()
        text = ""
        while text.count("\n\n") < 2 and (line := self.process.stdout.readline()):
            text += line
        too_late.cancel()
        return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepared(data: Path) -> Path:
    """A copy of what `manage.py prepare` made once for all tests: it takes seconds, and has tests of its own."""
    return shutil.copytree(_prepared_once(), data, dirs_exist_ok=True)


@cache
def _prepared_once() -> Path:
    data: Path = settings.DATA_DIR / "prepared"
    done = manage(data, "prepare")
    assert done.returncode == 0, done.stderr
    return data


@contextmanager
def serving(data: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port), *arguments],
        cwd=settings.BASE_DIR,
        env=environment(data, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Server(process, port)
    finally:
        process.kill()
        process.wait(SECONDS)
