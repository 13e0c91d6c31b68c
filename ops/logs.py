"""The end of a log file, searched. Lines hold no messages and no secrets, so an operator may read them all."""

from __future__ import annotations

import os
import re
from pathlib import Path

from django.conf import settings

FILES = {"server": "server.log", "errors": "errors.log"}
READ_BYTES = 2 * 1024 * 1024  # from the end; older lines are in the compressed files
SHOWN_LINES = 300
LEVEL = re.compile(r"^\S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) |\"level\": \"(DEBUG|INFO|WARNING|ERROR|CRITICAL)\"")


def read_lines(file: str, words: str = "", level: str = "") -> list[str]:
    """The newest lines of `server` or `errors` that hold all these words, newest first. Empty when there is no file."""
    wanted = words.lower().split()
    found: list[str] = []
    for line in reversed(_end_of(Path(settings.LOG_DIR) / FILES[file])):
        if (not level or level_of(line) == level) and all(word in line.lower() for word in wanted):
            found.append(line)
            if len(found) == SHOWN_LINES:
                break
    return found


def level_of(line: str) -> str:
    found = LEVEL.search(line)
    return (found[1] or found[2]) if found else ""


def _end_of(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - READ_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return lines[1:] if size > READ_BYTES else lines  # the first one is cut off
