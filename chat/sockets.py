"""The sockets of this process: whose they are, and which conversations they look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Protocol
from uuid import UUID

from chat import protocol


class Socket(Protocol):
    """A browser's socket, as the broadcast needs it."""

    user_id: UUID
    session_key: str

    @property
    def is_gone(self) -> bool: ...

    def push(self, frame: str) -> None: ...

    def close_soon(self, code: int) -> None: ...

    def facts(self) -> dict[str, Any]: ...


class Sockets:
    def __init__(self) -> None:
        self._by_user: dict[UUID, set[Socket]] = defaultdict(set)
        self._by_context: dict[UUID, dict[Socket, int]] = {}  # with the last number each was told

    def __iter__(self) -> Iterator[Socket]:
        return iter([socket for sockets in list(self._by_user.values()) for socket in sockets])

    def __len__(self) -> int:
        """In any thread."""
        return sum(map(len, list(self._by_user.values())))

    @property
    def people(self) -> set[UUID]:
        return set(self._by_user)

    @property
    def seats(self) -> set[tuple[UUID, UUID]]:
        """Conversations that are looked at, and by whom."""
        return {(id, socket.user_id) for id, sockets in self._by_context.items() for socket in sockets}

    def of(self, user_id: UUID) -> list[Socket]:
        return list(self._by_user.get(user_id, ()))

    def at(self, context_id: UUID) -> dict[Socket, int]:
        """Who looks at a conversation, with the number up to which each was told; empty: nobody does."""
        return self._by_context.get(context_id, {})

    def enter(self, socket: Socket) -> None:
        self._by_user[socket.user_id].add(socket)

    def leave(self, socket: Socket) -> list[UUID]:
        """Returns the conversations that it looked at."""
        sockets = self._by_user.get(socket.user_id)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self._by_user[socket.user_id]
        return [id for id, looking in self._by_context.items() if socket in looking]

    def look_at(self, socket: Socket, context_id: UUID) -> None:
        self._by_context.setdefault(context_id, {})[socket] = 0

    def look_away(self, socket: Socket, context_id: UUID) -> None:
        sockets = self._by_context.get(context_id)
        if sockets is not None:
            sockets.pop(socket, None)
            if not sockets:
                self.forget(context_id)

    def forget(self, context_id: UUID) -> None:
        self._by_context.pop(context_id, None)

    def push_to_people(self, user_ids: Iterable[UUID], frame: str) -> None:
        for user_id in user_ids:
            for socket in self.of(user_id):
                socket.push(frame)

    def close_session(self, session_key: str) -> None:
        """Somebody signed out: their sockets must not listen on."""
        for socket in self:
            if socket.session_key == session_key:
                socket.close_soon(protocol.SIGNED_OUT)

    def close(self, id: str, person: str) -> int:
        """One by its id, all of a person, or all; pages connect again. Returns how many."""
        closed = 0
        for socket in self:
            if (not id or socket.facts()["id"] == id) and (not person or str(socket.user_id) == person):
                socket.close_soon(protocol.RESET)
                closed += 1
        return closed

    def facts(self) -> list[dict[str, Any]]:
        looked_at: dict[Socket, list[str]] = defaultdict(list)
        for context_id, sockets in self._by_context.items():
            for socket in sockets:
                looked_at[socket].append(str(context_id))
        return [{**socket.facts(), "conversations": looked_at.get(socket, [])} for socket in self]
