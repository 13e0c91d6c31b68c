from __future__ import annotations

import pytest

from agents_app import runtime
from agents_app.tests.runtime.conftest import Room, agent


@pytest.fixture
async def room(transactional_db: None) -> Room:
    """Whatever the queue, what is counted is the same: the runtime's own tests try all of them."""
    room = Room(runtime.current())
    await room.open()
    return room


__all__ = ["agent", "room"]
