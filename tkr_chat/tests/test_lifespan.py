from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from agents_app import runtime
from tkr_chat import lifetime
from tkr_chat.asgi import application


@pytest.fixture(autouse=True)
def garbage_collector_as_it_was() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the agents' runtime was told."""
    told: list[str] = []

    def note(word: str) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            told.append(word)

        return call

    monkeypatch.setattr(runtime, "start", note("start"))
    monkeypatch.setattr(runtime, "stop", note("stop"))
    return told


async def test_it_works(calls: list[str]) -> None:
    server = ApplicationCommunicator(application, {"type": "lifespan"})
    await server.send_input({"type": "lifespan.startup"})
    assert await server.receive_output() == {"type": "lifespan.startup.complete"}
    assert calls == ["start"]

    await server.send_input({"type": "lifespan.shutdown"})
    assert await server.receive_output() == {"type": "lifespan.shutdown.complete"}
    assert calls == ["start", "stop"]


async def test_agents_that_do_not_start_stop_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise OSError("no database")

    monkeypatch.setattr(runtime, "start", fail)
    server = ApplicationCommunicator(application, {"type": "lifespan"})
    await server.send_input({"type": "lifespan.startup"})

    assert (await server.receive_output())["type"] == "lifespan.startup.failed"
    with pytest.raises(OSError, match="no database"):
        await server.wait()


async def test_agents_that_do_not_stop_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime, "stop", lambda: asyncio.sleep(60))
    monkeypatch.setattr(lifetime, "STOP_GRACE_SECONDS", 0.05)
    settings.AGENTS_DRAIN_SECONDS = 0

    await lifetime.end()

    assert [record.action for record in caplog.records] == ["server.drain_timeout"]
