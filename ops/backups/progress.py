from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is done, so much, of so much


def unseen(what: str, done: int, whole: int) -> None:
    """For who does not watch."""


class Advancing:
    """Adds up what is done of one thing."""

    def __init__(self, progress: Progress, what: str, whole: int) -> None:
        self._progress = progress
        self._what = what
        self._whole = whole
        self._done = 0

    def __call__(self, amount: int) -> None:
        self._done += amount
        self._progress(self._what, min(self._done, self._whole), self._whole)
