"""Two web processes and a worker: a browser notices nothing, whichever of them it reaches, also while Redis is away."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tkr_chat.tests.a2a.site import Site, own_database
from tkr_chat.tests.processes import SECONDS
from tkr_chat.tests.server import Server, free_port, serving
from tkr_chat.tests.workers.cast.agents import WORDS
from tkr_chat.tests.workers.conftest import Worker

pytestmark = pytest.mark.postgresql

ALL = [f"w{number}" for number in range(WORDS)]
SOON_SECONDS = 20


class OwnRedis:
    """One that a test may stop."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None


class Cluster(Site):
    """What they share, and where each is."""

    def __init__(self, data: Path, url: str, redis: OwnRedis) -> None:
        super().__init__(data, url)
        self.redis = redis
        self.variables |= {
            "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.workers.settings",
            "AGENTS_QUEUE": "procrastinate",
            "REDIS_URL": redis.url,
        }
        self.servers: list[Server] = []
        self.cookies: dict[str, str] = {}

    def api(self, method: str, path: str, body: Any = None) -> Any:
        address = f"{self.servers[0].address}/api/v1{path}"
        headers = {"x-csrftoken": self.cookies["csrftoken"], "referer": self.servers[0].address}
        answer = httpx.request(method, address, json=body, cookies=self.cookies, headers=headers, timeout=SECONDS)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    data, redis = tmp_path_factory.mktemp("cluster"), OwnRedis()
    redis.start()
    with own_database("two_web") as url:
        found = Cluster(data, url, redis)
        found.manage("prepare")
        worker = Worker(data, **found.variables)
        with serving(data, **found.variables) as first, serving(data, "--no-link", **found.variables) as second:
            found.servers = [first, second]
            worker.until_ready()
            with httpx.Client(follow_redirects=True, timeout=SECONDS) as client:
                assert client.get(first.link).status_code == 200
                found.cookies = dict(client.cookies)
            yield found
        worker.kill()
        print(worker.log)
    redis.stop()


class Page:
    """A browser's tab at one of the servers, in one conversation."""

    def __init__(self, socket: ClientConnection, conversation: str) -> None:
        self._socket = socket
        self.conversation = conversation
        self.frames: list[dict[str, Any]] = []
        self.send("conversation.open", id=conversation, after=None)
        self.until("conversation.opened")

    def send(self, type: str, **values: Any) -> None:
        self._socket.send(json.dumps({"type": type, **values}))

    def until(self, type: str, **values: Any) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            frame = json.loads(self._socket.recv(deadline - time.monotonic()))
            self.frames.append(frame)
            if frame["type"] == type and all(frame.get(name) == value for name, value in values.items()):
                return frame
        raise AssertionError([frame["type"] for frame in self.frames])

    def ask(self, seconds: float, path: Path) -> None:
        text = f"{path} answer {seconds}"
        self.send("message.post", conversation=self.conversation, client_id=str(uuid4()), text=text)

    def said(self) -> list[str]:
        """The words of the answer as this page had them while it streamed: of what it was shown, then of the pieces."""
        pieces = [frame for frame in self.frames if frame["type"] == "message.streamed"]
        if not pieces:
            return []
        of = pieces[0]["message"]
        shown = [f for f in self.frames if f["type"].startswith("message.") and f.get("id") == of and "html" in f]
        before = shown[0]["html"] if self.frames.index(shown[0]) < self.frames.index(pieces[0]) else ""
        return re.findall(
            r"\bw\d+\b", before + " " + "".join(piece["text"] for piece in pieces if piece["message"] == of)
        )


@contextmanager
def page(cluster: Cluster, number: int, conversation: str) -> Iterator[Page]:
    server = cluster.servers[number]
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cluster.cookies.items())}
    with connect(server.socket_address, origin=server.address, additional_headers=headers) as socket:
        yield Page(socket, conversation)


@pytest.fixture
def conversation(cluster: Cluster) -> str:
    return str(cluster.api("POST", "/conversations", {"agents": ["mason"]})["id"])


def test_it_works(cluster: Cluster, conversation: str, tmp_path: Path) -> None:
    """Posted at one, made in a worker, streamed at both, word for word and before the end."""
    with page(cluster, 0, conversation) as here, page(cluster, 1, conversation) as there:
        here.ask(2, tmp_path / "trace")
        for each in (here, there):
            each.until("task.changed", state="completed")
            assert each.said() == ALL
            kinds = [frame["type"] for frame in each.frames]
            assert kinds.count("message.streamed") >= 3, "it came in one piece"


def test_who_comes_in_the_middle_elsewhere_misses_nothing(cluster: Cluster, conversation: str, tmp_path: Path) -> None:
    with page(cluster, 0, conversation) as here:
        here.ask(3, tmp_path / "trace")
        while len(here.said()) < WORDS // 3:
            here.until("message.streamed")
    with page(cluster, 1, conversation) as there:
        there.until("task.changed", state="completed")
        assert there.said() == ALL


def test_stop_reaches_the_worker_from_the_other_process(cluster: Cluster, conversation: str, tmp_path: Path) -> None:
    with page(cluster, 0, conversation) as here, page(cluster, 1, conversation) as there:
        here.ask(60, tmp_path / "trace")
        working = there.until("task.changed", state="working")
        there.until("message.streamed")
        begun = time.monotonic()
        there.send("task.cancel", task=working["task"])
        here.until("task.changed", state="canceled")
        assert time.monotonic() - begun < SOON_SECONDS
    assert "ends" not in (tmp_path / "trace").read_text()


def test_what_is_said_while_redis_is_away_arrives_whole(cluster: Cluster, conversation: str, tmp_path: Path) -> None:
    with page(cluster, 0, conversation) as here, page(cluster, 1, conversation) as there:
        here.ask(4, tmp_path / "trace")
        there.until("message.streamed")
        cluster.redis.stop()
        for each in (here, there):
            each.until("task.changed", state="completed")
        here.ask(0, tmp_path / "again")
        for each in (here, there):
            each.until("task.changed", state="completed")
        cluster.redis.start()
    messages = cluster.api("GET", f"/conversations/{conversation}/messages")["messages"]
    answers = [message["text"].split() for message in messages if message["text"].startswith("w0")]
    assert answers == [ALL, ALL]


def test_it_streams_again_when_redis_is_back(cluster: Cluster, conversation: str, tmp_path: Path) -> None:
    with page(cluster, 0, conversation) as here, page(cluster, 1, conversation) as there:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            there.frames.clear()
            here.ask(1, tmp_path / "trace")
            there.until("task.changed", state="completed")
            if there.said() == ALL:
                return
    raise AssertionError("the other process hears no pieces any more")
