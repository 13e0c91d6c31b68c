"""The text of one message of a remote agent, by what it came from: its artifacts, its messages."""

from __future__ import annotations

BETWEEN = "\n\n"


class Spoken:
    def __init__(self) -> None:
        self._said: list[tuple[str, str]] = []  # what it came from, and the text

    @property
    def text(self) -> str:
        return BETWEEN.join(text for _, text in self._said)

    def of(self, source: str) -> str:
        return "".join(text for other, text in self._said if other == source)

    def add(self, source: str, text: str) -> str:
        """Behind all that was said before. Returns what the whole grows by."""
        if self._said and self._said[-1][0] == source:
            self._said[-1] = (source, self._said[-1][1] + text)
            return text
        between = BETWEEN if self._said else ""
        self._said.append((source, text))
        return between + text

    def put(self, source: str, text: str) -> None:
        """In the place of all that came from there; behind everything when that was nothing."""
        places = [place for place, (other, _) in enumerate(self._said) if other == source]
        first = places[0] if places else len(self._said)
        kept = [said for said in self._said[first:] if said[0] != source]
        self._said = [*self._said[:first], *([(source, text)] if text else []), *kept]
