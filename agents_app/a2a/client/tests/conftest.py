from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agents_app import runtime
from agents_app.a2a.client import following, health
from agents_app.a2a.client.preview import preview_remote_agent
from agents_app.a2a.client.tests.elsewhere import Elsewhere, elsewhere
from agents_app.actions.agents import register_agents
from agents_app.actions.remote_agents import add_remote_agent
from agents_app.models import RemoteAgent
from agents_app.tests.conftest import internet
from agents_app.tests.runtime.conftest import Room
from agents_app.threads import in_thread

__all__ = ["internet"]

ID = "weather-bot"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """This machine may be called, and nobody waits as long as in real life."""
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    settings.AGENTS_DRAIN_SECONDS = 0.1
    monkeypatch.setattr(health, "ROUND_SECONDS", 0.05)
    monkeypatch.setattr(health, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(following, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(following, "FIRST_POLL_SECONDS", 0.05)


@pytest.fixture
def server() -> Iterator[Callable[..., Elsewhere]]:
    """Start a server elsewhere with a script for an agent."""
    with ExitStack() as stack:
        yield lambda play, **values: stack.enter_context(elsewhere(play, **values))


@pytest.fixture
def add(transactional_db: None, grace: Any) -> Callable[..., Any]:
    """Add the agent of a server, as Grace may."""

    async def add(server: Elsewhere, **credentials: str) -> RemoteAgent:
        preview = await preview_remote_agent(server.url)
        return await in_thread(add_remote_agent, grace, preview, credentials, ID)

    return add


@pytest.fixture
async def room(transactional_db: None) -> AsyncIterator[Room]:
    """A conversation in a process that runs tasks, with everything that goes on beside them."""
    await in_thread(register_agents)
    await runtime.start()
    room = Room(runtime.current())
    await room.open()
    yield room
    await runtime.stop()
