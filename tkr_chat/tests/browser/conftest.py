"""A real server process, a real Chromium, and Ada in front of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(settings.BASE_DIR)
START_SECONDS = 180
PATIENCE_MS = 15_000
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`manage.py serve` in a process of its own, on data of its own; it can be killed and started again."""

    def __init__(self, data: Path, database_url: str, internet: int) -> None:
        self.data = data
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        services = f"http://127.0.0.1:{internet}"
        self._env = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "none",
            "DATA_DIR": str(data),
            "DJANGO_SETTINGS_MODULE": "tkr_chat.tests.browser.settings",
            "PORT": str(self.port),
            "EMBEDDED_MODEL": "off",
            "OLLAMA_URL": "",
            "DB_POOL_MIN": "2",
            "OPEN_METEO_URL": services,
            "OPEN_METEO_GEOCODING_URL": services,
            "OUTGOING_ALLOW": "127.0.0.1",
            "AGENTS_DRAIN_SECONDS": "1",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **({"REDIS_URL": os.environ["REDIS_URL"]} if os.environ.get("REDIS_URL") else {}),
        }
        self._log = data / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._env, capture_output=True, text=True, timeout=START_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "manage.py", "serve", "--no-link"]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()
            try:
                httpx.get(f"{self.address}/sign-in/", timeout=5)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(self._log.read_text())

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def sign_in_link(self) -> str:
        found = re.search(r"http://\S+/sign-in/\S+", self.manage("signinlink"))
        assert found
        return found[0]


@pytest.fixture(scope="session")
def internet() -> Iterator[int]:
    """The weather service and a web site, for want of the real ones."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "agents_app.tests.fake_internet", str(port)], cwd=ROOT)
    yield port
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """Empty for SQLite; on PostgreSQL a database for the server alone, like the one the suite runs on."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield ""
        return
    name = f"browser_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield re.sub(r"^(postgres\w*://[^/]*/)[^?]*", rf"\g<1>{name}", url)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, database_url: str, internet: int) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), database_url, internet)
    server.manage("prepare")
    server.start()
    yield server
    server.kill(signal.SIGTERM)


@pytest.fixture(scope="session")
def chromium_browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        loop = asyncio._get_running_loop()
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        asyncio._set_running_loop(loop)  # it stood aside for other tests
        browser.close()


@pytest.fixture(scope="session")
def cookies(chromium_browser: Browser, server: Server) -> list[Any]:
    """Of somebody who signed in by the link."""
    context = chromium_browser.new_context()
    context.new_page().goto(server.sign_in_link())
    cookies = context.cookies()
    context.close()
    return cookies


@pytest.fixture
def context(chromium_browser: Browser, server: Server, cookies: list[Any]) -> Iterator[BrowserContext]:
    """Somebody's browser, signed in. A console error or a policy violation fails the test."""
    context = chromium_browser.new_context(viewport={"width": 1280, "height": 800}, base_url=server.address)
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies(cookies)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


def _is_complaint(message: object) -> bool:
    """Errors of the page. A network that is away is what some tests are about."""
    text = getattr(message, "text", "")
    return getattr(message, "type", "") == "error" and not re.search(
        r"net::ERR|WebSocket|Failed to load resource", text
    )


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def start(page: Page) -> Callable[[str], Page]:
    """Begin a conversation with a first message; returns its page."""

    def begin(text: str) -> Page:
        page.goto("/new/")
        send(page, text)
        page.wait_for_url("**/c/*/")
        return page

    return begin


def send(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
