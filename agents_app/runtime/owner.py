"""Who runs a task: a name for this process that another on the same machine can check for being alive."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _here() -> str:
    """The machine and its process namespace: numbers of processes mean something only inside it."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}"


def _started(pid: int) -> str:
    """Start time of a process in clock ticks, which tells it from a later one with the same number; empty: none such."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def this_process() -> str:
    pid = os.getpid()
    return f"{_here()}/{pid}/{_started(pid)}"


def is_known_dead(owner: str) -> bool:
    """True when the owner ran here and is gone. False also when nobody can tell: then its lease must expire."""
    match owner.rsplit("/", 2):
        case [here, pid, started] if here == _here() and started and pid.isdigit():
            return _started(int(pid)) != started
    return False
