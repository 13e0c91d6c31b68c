"""A PostgreSQL cluster and a Redis of the harness's own, on free ports, with data in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from bench.machine import free_port

START_SECONDS = 30


class Postgres:
    def __init__(self, folder: Path) -> None:
        self._data = folder / "postgres"
        self._log = folder / "postgres.log"
        self.port = free_port()
        self._data.mkdir()
        self._log.touch()
        if os.geteuid() == 0:  # it refuses to be root
            folder.chmod(0o755)
            for path in (self._data, self._log):
                shutil.chown(path, "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self._data} -c max_connections=300 -c fsync=on"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-w", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def url(self, name: str, port: int = 0) -> str:
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{name}"

    def sql(self, statement: str, name: str = "postgres") -> list[tuple]:
        with psycopg.connect(self.url(name).replace("postgres://", "postgresql://"), autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def _run(self, program: str, *arguments: str) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")) or [Path(program)]
        before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*before, str(found[-1]), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self._data)


class Redis:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        arguments = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, cwd="/tmp")  # it writes nothing there
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(["redis-cli", "-p", str(self.port), "ping"], check=False, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("Redis did not start.")
            time.sleep(0.1)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
