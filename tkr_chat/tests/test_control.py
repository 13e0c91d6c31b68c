"""Orders of an operator reach a real server process, from the command line, over REST and in the admin."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tkr_chat.tests.processes import SECONDS, manage
from tkr_chat.tests.server import Server, prepared, serving

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with serving(data) as server:
        yield server


@pytest.fixture(scope="module")
def browser(server: Server) -> httpx.Client:
    client = httpx.Client(base_url=server.address, follow_redirects=True, timeout=SECONDS)
    assert client.get(server.link).status_code == 200
    return client


@pytest.fixture(scope="module")
def program(server: Server, data: Path) -> httpx.Client:
    token = re.search(r"tkr_\S+", manage(data, "createtoken", "admin", "operator").stdout)
    assert token
    address = f"{server.address}/api/v1/admin"
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token[0]}"}, timeout=SECONDS)


@pytest.fixture(scope="module")
def stranger(data: Path) -> str:
    """The token of somebody who is no operator."""
    manage(data, "shell", "-c", "from accounts.models import User; User.objects.create_user('ada')")
    token = re.search(r"tkr_\S+", manage(data, "createtoken", "ada", "curious").stdout)
    assert token
    return token[0]


@contextmanager
def tab(server: Server, browser: httpx.Client) -> Iterator[ClientConnection]:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"cookie": cookies, "user-agent": FIREFOX}
    with connect(
        server.socket_address, origin=server.address, additional_headers=headers, user_agent_header=None
    ) as socket:
        assert json.loads(socket.recv(SECONDS))["type"] == "session.opened"
        yield socket


def told(data: Path, *command: str) -> dict[str, Any]:
    done = manage(data, *command, "--json")
    assert done.stdout, done.stderr
    return {"code": done.returncode, **json.loads(done.stdout)}


def closed_with(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(SECONDS)
    assert closed.value.rcvd
    return closed.value.rcvd.code


def name_of(server: Server, program: httpx.Client) -> str:
    """As it is known to the others: its first heartbeat may come after its banner."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        names = [one["name"] for one in program.get("/processes").json()]
        if found := [name for name in names if name.endswith(f":{server.process.pid}")]:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no heartbeat came")


def test_it_works(data: Path, server: Server, browser: httpx.Client) -> None:
    with tab(server, browser) as socket:
        socket.send(json.dumps({"type": "nonsense"}))
        socket.recv(SECONDS)
        found = told(data, "wsstatus")

    (one,) = found["sockets"]
    assert (found["code"], found["count"], found["silent"]) == (0, 1, [])
    assert (one["name"], one["address"], one["browser"]) == ("admin", "127.0.0.1", "Firefox on Linux")
    assert one["frames_in"] == 1 and one["frames_out"] >= 2 and one["process"].startswith("web@")


def test_sockets_are_closed_and_told_to_come_again(data: Path, server: Server, browser: httpx.Client) -> None:
    with tab(server, browser) as socket:
        assert sum(answer["closed"] for answer in told(data, "wsreset")["processes"].values()) == 1
        assert closed_with(socket) == 1012


def test_one_socket_is_closed_and_others_stay(data: Path, server: Server, browser: httpx.Client) -> None:
    with tab(server, browser) as first, tab(server, browser) as second:
        id = told(data, "wsstatus")["sockets"][0]["id"]
        told(data, "wsreset", "--socket", id)
        assert closed_with(first) == 1012
        assert len(told(data, "wsstatus")["sockets"]) == 1
        second.ping().wait(SECONDS)


def test_processes_and_pools_are_shown_and_reset(data: Path, server: Server) -> None:
    (process,) = told(data, "poolstatus")["processes"]
    assert process["kind"] == "web" and process["memory_bytes"] > 2**20

    answer = told(data, "resetpool", "--process", process["name"])
    assert answer["code"] == 0 and list(answer["processes"]) == [process["name"]]
    assert httpx.get(f"{server.address}/readyz").status_code == 200


def test_an_unknown_process_is_named(data: Path, server: Server) -> None:
    answer = told(data, "resetpool", "--process", "web@nowhere:1")

    assert answer["code"] == 1 and "There is no process 'web@nowhere:1'" in answer["error"]


def test_the_same_over_rest(server: Server, browser: httpx.Client, program: httpx.Client) -> None:
    with tab(server, browser) as socket:
        status = program.get("/ws-status").json()
        assert status["count"] == 1 and status["sockets"][0]["name"] == "admin"
        assert program.post("/ws-reset", json={"person": status["sockets"][0]["person"]}).json()["silent"] == []
        assert closed_with(socket) == 1012
    name = program.get("/processes").json()[0]["name"]
    for answer in (program.post("/reset-pool", json={"process": name}), program.get("/reset-pool")):
        assert answer.status_code == 200 and list(answer.json()["answers"]) == [name]
    assert program.post("/recover").json()["answers"][name] == {"looked": True}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ws-status"), ("POST", "/ws-reset"), ("GET", "/reset-pool"), ("POST", "/reset-pool")]
)
def test_a_session_or_a_strangers_token_is_not_enough(
    server: Server, browser: httpx.Client, stranger: str, method: str, path: str
) -> None:
    address = f"{server.address}/api/v1/admin{path}"

    assert httpx.request(method, address).status_code == 401
    assert browser.request(method, address).status_code in (401, 403)
    assert httpx.request(method, address, headers={"authorization": f"Bearer {stranger}"}).status_code == 403


def test_a_wrong_method_and_a_process_that_is_not_named_are_refused(program: httpx.Client) -> None:
    assert program.get("/ws-reset").status_code == 405
    assert program.post("/processes/drain", json={}).status_code == 400
    assert program.post("/reset-pool", json={"process": "web@nowhere:1"}).status_code == 404
    assert program.post("/ws-reset", json={"sokket": "x"}).status_code == 422


def test_the_admin_shows_and_does_it(data: Path, server: Server, browser: httpx.Client) -> None:
    with tab(server, browser) as socket:
        page = browser.get("/admin/ops/opensocket/")
        assert "Firefox on Linux" in page.text and "Close all of admin" in page.text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "person": "", "socket": ""}
        headers = {"referer": f"{server.address}/admin/"}
        asked = browser.post("/admin/ops/opensocket/close/", data=form, headers=headers).text
        assert "Close every WebSocket?" in asked and told(data, "wsstatus")["count"] == 1, "it asks first"
        form["confirmed"] = "yes"
        assert "closed 1" in browser.post("/admin/ops/opensocket/close/", data=form, headers=headers).text
        assert closed_with(socket) == 1012
    processes = browser.get("/admin/metrics/process/").text
    assert "alive" in processes and "Replace all database connections" in processes
    answer = browser.post("/admin/metrics/process/reset_pool/", data=form, headers=headers)
    assert answer.status_code == 200 and "reset" in answer.text


def test_the_log_can_be_searched(server: Server, browser: httpx.Client, data: Path) -> None:
    (data / "logs").mkdir(exist_ok=True)
    lines = [f"2026-01-01T00:00:{number:02} INFO action=test.line task=t{number} <b>" for number in range(20)]
    (data / "logs" / "server.log").open("a").write("\n".join([*lines, "2026-01-01 ERROR action=test.failed"]) + "\n")

    page = browser.get("/admin/ops/logfile/?words=test.line+task=t7").text
    assert "task=t7" in page and "task=t8" not in page and "&lt;b&gt;" in page
    assert "test.failed" in browser.get("/admin/ops/logfile/?level=ERROR").text
    assert browser.get("/admin/ops/logfile/?follow=on").headers["refresh"] == "3"


def test_a_process_that_is_drained_ends_in_order(data: Path, program: httpx.Client) -> None:
    with serving(data) as server:
        name = name_of(server, program)
        assert program.post("/processes/drain", json={"process": name}).status_code == 200

        assert server.process.wait(SECONDS) in (0, -signal.SIGTERM)
