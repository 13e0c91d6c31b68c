from __future__ import annotations

import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tkr_chat.tests.processes import manage, python
from tkr_chat.tests.server import Server, prepared, serving

STOP_SECONDS = 20
LOADED = """
import asyncio, sys
import tkr_chat.asgi
from a2a.utils.telemetry import otel_enabled
from tkr_chat import lifetime, server

def brains_are_loaded():
    return {"pydantic_ai", "agents_app.brains.embedded.model"} <= set(sys.modules)

async def live():
    print(brains_are_loaded())
    await lifetime.begin("web")
    print(brains_are_loaded())
    await lifetime.end()

asyncio.run(live())
print(otel_enabled, [name for name in sys.modules if name.startswith(("opentelemetry.sdk.trace", "opentelemetry.exporter"))])
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with serving(data) as server:
        yield server


@pytest.fixture(scope="module")
def loaded(data: Path) -> list[str]:
    """What a server says of what it loads."""
    return python(data, "-c", LOADED).stdout.splitlines()


def test_it_works(server: Server) -> None:
    """One click on the printed link and one is in the chat. The link works once."""
    with httpx.Client(follow_redirects=True) as browser:
        answer = browser.get(server.link)
        assert answer.status_code == 200 and str(answer.url) == f"{server.address}/"
        assert browser.get(f"{server.address}/settings/").status_code == 200

    assert httpx.get(server.link).status_code == 410


def test_it_says_which_brain_answers(server: Server) -> None:
    assert "Brain " in server.banner and "tkr-agent-chat is ready" in server.banner


def test_brains_are_loaded_with_the_agents_and_not_sooner(loaded: list[str]) -> None:
    """No other command needs them, and whoever writes the first message must not wait for them."""
    assert loaded[:2] == ["False", "True"]


def test_without_tracing_nothing_that_traces_is_loaded(loaded: list[str], data: Path) -> None:
    """redis loads the SDK's metrics wherever they are installed, but neither its traces nor what sends them."""
    assert loaded[2] == "False []"

    traced = python(data, "-c", LOADED, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert "opentelemetry.sdk.trace" in traced.stdout, "without that the first half means nothing"


def test_static_files_are_there_without_a_further_step(server: Server) -> None:
    page = httpx.get(f"{server.address}/sign-in/").text
    stylesheet = page.split('rel="stylesheet" href="')[1].split('"')[0]

    assert "immutable" in httpx.get(f"{server.address}{stylesheet}").headers["Cache-Control"]


def test_a_socket_is_opened_for_our_own_pages(server: Server) -> None:
    with connect(server.socket_address, origin=server.address) as socket:
        assert socket.response.status_code == 101


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_socket_is_refused_to_pages_from_elsewhere(server: Server, origin: str | None) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(server.socket_address, origin=origin)


def test_another_host_name_is_refused(server: Server) -> None:
    assert httpx.get(f"{server.address}/sign-in/", headers={"host": "evil.example"}).status_code == 400


def test_a_used_port_is_answered_with_one_sentence(server: Server, data: Path) -> None:
    port = server.address.rsplit(":", 1)[1]

    done = manage(data, "serve", "--port", port)

    assert done.returncode == 1 and "Sign in" not in done.stdout
    assert done.stderr.startswith(f"Cannot listen on 127.0.0.1:{port} (Address already in use): stop what is there")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_well_and_prints_no_link_when_none_is_wanted(data: Path, how: signal.Signals) -> None:
    with serving(data, "--no-link") as server:
        assert "sign-in" not in server.banner

        server.process.send_signal(how)

        assert server.process.wait(STOP_SECONDS) == 0


def test_an_unprepared_database_is_named(tmp_path: Path) -> None:
    done = manage(tmp_path, "serve")

    assert done.returncode == 1 and "run `manage.py prepare` first" in done.stderr


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    for command in ("prepare", "serve"):
        done = manage(tmp_path, command, DATABASE_URL="postgres://127.0.0.1:1/chat", DB_POOL_TIMEOUT="1")

        assert done.returncode == 1 and "look at DATABASE_URL" in done.stderr and "Traceback" not in done.stderr


def test_preparing_again_changes_nothing(data: Path) -> None:
    done = manage(data, "prepare")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nobody_else_on_the_machine_reads_the_database(data: Path) -> None:
    assert stat.S_IMODE((data / "db.sqlite3").stat().st_mode) == 0o600
