"""What processes say to each other, as bytes. Whoever spoke stands in front, so that nobody reads their own words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agents_app.models import Event, EventType

NAME_BYTES = 16
OPENED, SAID, CLOSED, EVENTS, TOLD = "o", "s", "c", "e", "t"

Item = list[Any]  # one of the five, then its values


def pack(name: str, items: Sequence[Item]) -> bytes:
    return name.encode() + json.dumps(items, separators=(",", ":")).encode()


def unpack(name: str, payload: bytes) -> list[Item]:
    """Nothing, when it was said by `name` itself."""
    return [] if payload.startswith(name.encode()) else json.loads(payload[NAME_BYTES:])


def pack_event(event: Event) -> Item:
    task_id = str(event.task_id) if event.task_id else None
    values = [event.type, event.data, task_id, event.version, event.created_at.isoformat()]
    return [str(event.context_id), event.seq, *values]


def unpack_event(values: Item) -> Event:
    context_id, seq, type, data, task_id, version, created_at = values
    return Event(
        context_id=UUID(context_id),
        seq=seq,
        type=EventType(type),
        data=data,
        task_id=UUID(task_id) if task_id else None,
        version=version,
        created_at=datetime.fromisoformat(created_at),
    )
