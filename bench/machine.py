"""Processes of the benchmark: where they run, what they are told, how much memory they hold."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, CLIENT_CORES = {CORES[0]}, {CORES[-1]}


class Server:
    """A server that runs on its own core."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, people: list[tuple[str, str]]) -> None:
        self.process = process
        self.port = port
        self.people = people  # session key and conversation id of each

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def data_dir() -> Iterator[dict[str, str]]:
    """The environment of a server that has never run: nothing of this machine's `.env` counts."""
    with tempfile.TemporaryDirectory(prefix="tkr-chat-bench-") as folder:
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        yield keep | {
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "ENV_FILE": "none",
            "DATA_DIR": folder,
            "EMBEDDED_MODEL": "off",
            "OLLAMA_URL": "",
            "LOG_LEVEL": "WARNING",
            "RATE_PER_MINUTE_MESSAGES": "0",
        }


def manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def product(people: int, settings: dict[str, str] | None = None) -> Iterator[Server]:
    """`manage.py serve` on an empty database with that many people, each with one conversation."""
    with data_dir() as folder:
        environment = folder | (settings or {})
        manage(environment, "prepare")
        seeded = json.loads(manage(environment, "bench_seed", str(people)))
        port = free_port()
        arguments = [sys.executable, "manage.py", "serve", "--no-link", "--port", str(port)]
        with running(arguments, environment, port) as process:
            yield Server(process, port, seeded)


@contextmanager
def peers() -> Iterator[Server]:
    with data_dir() as environment:
        port = free_port()
        arguments = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "bench.peers:application"]
        with running(arguments, environment, port) as process:
            yield Server(process, port, [])


def become_client() -> None:
    """Keep this process away from the server's core, and let it hold many sockets."""
    os.sched_setaffinity(0, CLIENT_CORES)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], port: int = 0, cores: set[int] = SERVER_CORES
) -> Iterator[subprocess.Popen[bytes]]:
    """`port`: where it listens; 0: nowhere."""
    process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, cores)
    try:
        if port:
            _wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server of the benchmark did not start; what it wrote is above.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
