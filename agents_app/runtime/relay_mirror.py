"""Text that streams in other processes, as far as it was heard here."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from agents_app.runtime.relay import Piece


@dataclass(slots=True)
class _Mirror:
    run: str  # who writes it: after a crash another one does, and another text
    said: list[str]
    length: int


class Gap(Exception):
    """Something before this was not heard, or somebody else writes now."""


class Mirrors:
    def __init__(self) -> None:
        self._mirrors: dict[UUID, _Mirror] = {}

    def open(self, message_id: UUID, run: str, text: str) -> None:
        self._mirrors[message_id] = _Mirror(run, [text], len(text))

    def close(self, message_id: UUID, run: str = "") -> None:
        """`run`: unless somebody else writes it by now."""
        mirror = self._mirrors.get(message_id)
        if mirror is not None and run in ("", mirror.run):
            del self._mirrors[message_id]

    def clear(self) -> None:
        self._mirrors.clear()

    def hear(self, piece: Piece, run: str) -> Piece | None:
        """What is new of it; None when nothing is. Raises `Gap`."""
        mirror = self._mirrors.get(piece.message_id)
        if mirror is None or mirror.run != run or piece.offset > mirror.length:
            raise Gap
        text = piece.text[mirror.length - piece.offset :]
        if not text:
            return None
        fresh = piece._replace(offset=mirror.length, text=text)
        mirror.said.append(text)
        mirror.length += len(text)
        return fresh

    def snapshot(self, message_id: UUID) -> str | None:
        mirror = self._mirrors.get(message_id)
        if mirror is None:
            return None
        mirror.said = ["".join(mirror.said)]
        return mirror.said[0]

    def known(self, message_id: UUID, run: str) -> int:
        """How much of what that one writes was heard; -1: nothing was."""
        mirror = self._mirrors.get(message_id)
        return mirror.length if mirror is not None and mirror.run == run else -1
