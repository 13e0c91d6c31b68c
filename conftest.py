"""The cast of every test, and what all tests share. Each person is here for a reason; invent others only where the test
is about them."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_django
from django.conf import settings
from django.db import connection

from accounts.models import User
from agents_app import runtime
from tkr_chat.tests.emptying import empty_quickly

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
JAVASCRIPT_CLIENT = Path(__file__).parent / "tkr_chat/tests/a2a/js/node_modules/@a2a-js/sdk"
NODE = shutil.which("node") if JAVASCRIPT_CLIENT.is_dir() else None  # `scripts/install dev` installs it for Node.js 20
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PROCESSES = "several" if settings.ON_POSTGRESQL and settings.REDIS_URL else None
SQLITE = None if settings.ON_POSTGRESQL else "embedded"
LEFT_OUT = pytest.StashKey[list[str]]()
LOOP_OF_THE_BROWSER = pytest.StashKey[asyncio.AbstractEventLoop | None]()

# How fast examples are made says how busy the machine is; in a new clone Hypothesis first makes its tables of Unicode.
hypothesis.settings.register_profile("suite", suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[LEFT_OUT] = [
        *_leave_out(config, items, "browser", CHROMIUM, "Chromium is not installed"),
        *_leave_out(config, items, "postgresql", PROCESSES, "the database is not PostgreSQL, or there is no Redis"),
        *_leave_out(config, items, "sqlite", SQLITE, "the database is PostgreSQL"),
        *_leave_out(config, items, "nginx", NGINX, "nginx is not installed"),
        *_leave_out(config, items, "node", NODE, "Node.js 20 or the JavaScript client is not installed"),
    ]


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], marker: str, program: str | None, why: str
) -> Iterator[str]:
    """Without their program some tests cannot run. They are left out aloud, see `pytest_terminal_summary`."""
    left_out = [] if program else [item for item in items if item.get_closest_marker(marker)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        yield f"left out: {len(left_out)} {marker} tests, because {why}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes tells the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = node.workeroutput["left_out"] if hasattr(node, "workeroutput") else []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """PostgreSQL drops no database that somebody is connected to, and tests leave threads behind that still are."""
    empty_quickly()
    yield
    asyncio._set_running_loop(None)  # that of a browser, see `pytest_runtest_setup`
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    assert CHROMIUM, "tests that use this are marked with @pytest.mark.browser"
    return CHROMIUM


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node.js."""
    assert NODE, "tests that use this are marked with @pytest.mark.node"
    return NODE


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of the proxy."""
    assert NGINX, "tests that use this are marked with @pytest.mark.nginx"
    return NGINX


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Playwright leaves an event loop running in this thread for as long as it lives, which stands aside in every test
    without a browser: asyncio runs one loop a thread, and beside one Django makes and empties no database."""
    stash = item.config.stash
    stash[LOOP_OF_THE_BROWSER] = asyncio._get_running_loop() or stash.get(LOOP_OF_THE_BROWSER, None)
    asyncio._set_running_loop(stash[LOOP_OF_THE_BROWSER] if item.get_closest_marker("browser") else None)


@pytest.fixture(autouse=True)
def fresh_runtime() -> Iterator[None]:
    """Each test has an event loop of its own, and so a runtime of its own."""
    yield
    runtime.forget()


@pytest.fixture
def ada(db: None) -> User:
    """An ordinary person, whose conversations the tests are about."""
    return User.objects.create_user("ada", password="ada's password", display_name="Ada")


@pytest.fixture
def grace(db: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("grace", password="grace's password", display_name="Grace")


@pytest.fixture
def mallory(db: None) -> User:
    """An outsider: has an account and must see nothing of Ada's."""
    return User.objects.create_user("mallory", password="mallory's password", display_name="Mallory")
