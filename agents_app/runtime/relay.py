"""Between processes: live text, news of the journal and short messages. The seam, and the twin of a process alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from agents_app.models import Event


class Piece(NamedTuple):
    """A fragment of a message's text. `offset` counts Unicode code points from the message's beginning."""

    context_id: UUID
    message_id: UUID
    offset: int
    text: str


class Ears(NamedTuple):
    """Who is told what other processes say, and whom to ask what this one has said."""

    pieces: Callable[[list[Piece]], Awaitable[None]]
    events: Callable[[list[Event]], None]
    said_here: Callable[[UUID], str | None]


Hear = Callable[..., None]
Beside = Callable[[Coroutine[Any, Any, None]], None]


class Relay:
    """What other processes say is heard here, and what happens here is told to them. This one is alone.

    Nothing here is relied upon: what was said is in the journal, and whoever misses a number reads it there.
    """

    def __init__(self) -> None:
        self._receivers: dict[str, list[Hear]] = {}

    def begin(self, ears: Ears, beside: Beside) -> None:
        """On the loop on which everything is heard."""

    async def end(self) -> None:
        """Say what waits to be said."""

    # -- said here

    def opened(self, context_id: UUID, message_id: UUID, text: str) -> None:
        """A message begins to stream, or is another text from now on."""

    def said(self, pieces: Sequence[Piece]) -> None: ...

    def closed(self, message_id: UUID) -> None: ...

    def committed(self, events: list[Event]) -> None: ...

    def tell(self, name: str, **data: Any) -> None:
        """A short message to the other processes, in any thread. It may get lost: somebody looks besides."""

    # -- heard

    def on(self, name: str, receive: Hear) -> None:
        """Call `receive` with what another process tells by that name."""
        self._receivers.setdefault(name, []).append(receive)

    def snapshot(self, message_id: UUID) -> str | None:
        """What was heard of a message that streams elsewhere; the next piece begins where it ends."""
        return None

    async def look(self, message_ids: Sequence[UUID]) -> None:
        """Find out what was said of these before anybody listened here. `snapshot` knows it then."""
