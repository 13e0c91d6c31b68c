"""The product's own processes: web servers and workers that the harness starts, kills and starts again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import ROOT, free_port
from chaos.death import ORDERS, order_for

START_SECONDS = 180  # on a machine that has other things to do
STOP_SECONDS = 30
KEPT = ("PATH", "HOME", "LANG")
RATES = ("ADDRESS", "API", "FRAMES", "MESSAGES")


@dataclass
class Process:
    """One process, and how to start another in its place."""

    name: str
    arguments: list[str]
    ready: str  # what it says when it is
    port: int = 0
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    said_before: int = 0  # bytes of its log that another process of this name wrote

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def memory(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


class Product:
    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        keep = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = keep | {
            "DJANGO_SETTINGS_MODULE": "chaos.settings",
            "ENV_FILE": "none",
            "DATA_DIR": str(folder / "data"),
            "EMBEDDED_MODEL": "off",
            "OLLAMA_URL": "",
            "DB_POOL_MIN": "4",
            "OUTGOING_ALLOW": "127.0.0.1",
            ORDERS: str(folder),
            **{f"RATE_PER_MINUTE_{name}": "0" for name in RATES},
            **settings,
        }
        self.webs: list[Process] = []
        self.workers: list[Process] = []

    def manage(self, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, input=given, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def seed(self, people: int, agent: str) -> list[tuple[str, str]]:
        return [(key, room) for key, room in json.loads(self.manage("chaos_seed", str(people), agent))]

    def check(self, acknowledged: list[str]) -> dict[str, int]:
        return json.loads(self.manage("chaos_check", given=json.dumps(acknowledged)))

    def start(self, webs: int, workers: int) -> None:
        for number in range(webs):
            port = free_port()
            arguments = ["serve", "--no-link", "--port", str(port)]
            self.webs.append(Process(f"web-{number}", arguments, "is ready", port))
        for number in range(workers):
            self.workers.append(Process(f"worker-{number}", ["runagents"], "Agents work here"))
        for process in self.processes:
            self.launch(process)
        for process in self.processes:
            self.wait_for(process)

    @property
    def processes(self) -> list[Process]:
        return [*self.webs, *self.workers]

    def log(self, process: Process) -> Path:
        return self.folder / f"{process.name}.log"

    def launch(self, process: Process) -> None:
        with self.log(process).open("ab") as log:
            process.said_before = log.tell()
            process.process = subprocess.Popen(
                [sys.executable, "manage.py", *process.arguments],
                cwd=ROOT,
                env=self.environment | process.more,
                stdout=log,
                stderr=log,
            )

    def wait_for(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        assert process.process is not None
        while process.ready not in (said := self.log(process).read_bytes()[process.said_before :].decode()):
            if process.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{process.name} did not start:\n{said}")
            time.sleep(0.05)

    def kill(self, process: Process) -> None:
        assert process.process is not None
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()

    def end(self, process: Process) -> None:
        assert process.process is not None
        process.process.send_signal(signal.SIGTERM)
        if code := process.process.wait(STOP_SECONDS):
            raise SystemExit(f"{process.name} ended with {code}")

    def order_death(self, process: Process) -> None:
        """It dies behind its next commit."""
        assert process.process is not None
        order = order_for(str(self.folder), process.pid)
        order.touch()
        process.process.wait(STOP_SECONDS)
        order.unlink()

    def revive(self, process: Process) -> None:
        """As a supervisor would."""
        self.launch(process)
        self.wait_for(process)

    def memory(self) -> dict[str, int]:
        return {process.name: process.memory() for process in self.processes}

    def stop(self) -> None:
        for process in self.processes:
            if process.process is not None and process.process.poll() is None:
                process.process.send_signal(signal.SIGTERM)
        for process in self.processes:
            if process.process is not None:
                try:
                    process.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self.kill(process)


@contextmanager
def running(folder: Path, settings: dict[str, str], webs: int = 1, workers: int = 0) -> Iterator[Product]:
    product = Product(folder, settings)
    try:
        product.start(webs, workers)
        yield product
    finally:
        product.stop()
