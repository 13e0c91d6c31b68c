"""What one person did and was told, for when it took too long."""

from __future__ import annotations

import time
from collections import deque

LINES = 400
BEFORE_SECONDS = 3.0  # the fault


class Diary:
    def __init__(self) -> None:
        self._lines: deque[tuple[float, str]] = deque(maxlen=LINES)

    def note(self, *what: str) -> None:
        self._lines.append((time.monotonic(), " ".join(what)))

    def lines(self, moment: float, until: float) -> list[str]:
        """In seconds from that moment. Of the same thing in a row only the first."""
        told, before = [f"--- somebody who had the answer after {until - moment:.1f} s"], ""
        for at, what in self._lines:
            if moment - BEFORE_SECONDS <= at <= until and what != before:
                told.append(f"{at - moment:+6.1f} {what}")
            before = what
        return told
