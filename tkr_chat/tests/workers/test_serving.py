"""`serve` in one process and `runagents` in another: whoever calls notices nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tkr_chat.tests.a2a.site import Site, own_database
from tkr_chat.tests.processes import SECONDS, environment
from tkr_chat.tests.server import serving
from tkr_chat.tests.workers.conftest import Worker

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("served")
    with own_database("workers_site") as url:
        found = Site(data, url)
        found.variables |= {"AGENTS_QUEUE": "procrastinate"}
        found.manage("prepare")
        worker = Worker(data, **found.variables)
        with serving(data, "--no-link", **found.variables) as server:
            found.address = server.address
            worker.until_ready()
            yield found
        worker.kill()
        print(worker.log)


def call(site: Site, method: str, text: str, **configuration: object) -> httpx.Response:
    message = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": text}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": message, "configuration": configuration}}
    return httpx.post(f"{site.address}/a2a/clerk/", json=body, headers={"A2A-Version": "1.0"}, timeout=SECONDS)


def texts(task: dict) -> list[str]:
    return [part["text"] for artifact in task["artifacts"] for part in artifact["parts"]]


def test_it_works(site: Site) -> None:
    """Who waits gets the end of a task that ran elsewhere."""
    task = call(site, "SendMessage", "say Hello.").json()["result"]["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and texts(task) == ["Hello."]


def test_a_stream_tells_everything(site: Site) -> None:
    answer = call(site, "SendStreamingMessage", "say Hello.\nwait 0.5\nchunks 3")
    told = [json.loads(line.removeprefix("data: "))["result"] for line in answer.text.splitlines() if "data: " in line]
    assert told[0]["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert told[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    said = [
        part["text"]
        for event in told
        for part in event.get("artifactUpdate", {"artifact": {"parts": []}})["artifact"]["parts"]
    ]
    assert "".join(said) == "Hello.012"


def test_asking_on_the_command_line_needs_no_worker(site: Site) -> None:
    assert site.manage("ask", "clerk", "say Hello.").strip() == "Hello."


def test_an_unprepared_database_is_named(tmp_path: Path) -> None:
    with own_database("workers_empty") as url:
        variables = Site(tmp_path, url).variables | {"AGENTS_QUEUE": "procrastinate"}
        done = subprocess.run(
            [sys.executable, "manage.py", "runagents"],
            cwd=settings.BASE_DIR,
            env=environment(tmp_path, **variables),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert done.returncode == 1 and "run `manage.py prepare` first" in done.stderr
