from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple


class Dated(NamedTuple):
    name: str
    made_at: datetime


class Keep(NamedTuple):
    """How many days, weeks and months have a backup kept: the newest of each."""

    days: int
    weeks: int
    months: int


Period = Callable[[datetime], tuple[int, ...]]

PERIODS: dict[str, Period] = {
    "days": lambda moment: (moment.year, moment.month, moment.day),
    "weeks": lambda moment: tuple(moment.isocalendar()[:2]),
    "months": lambda moment: (moment.year, moment.month),
}


def kept_names(backups: Iterable[Dated], keep: Keep) -> dict[str, list[str]]:
    """Which are kept, and why. Days without a backup do not count, so that a long silence deletes nothing."""
    newest_first = sorted(backups, key=lambda backup: backup.made_at, reverse=True)
    kept: dict[str, list[str]] = {}
    if newest_first:
        kept[newest_first[0].name] = ["newest"]
    for word, period in PERIODS.items():
        seen: set[tuple[int, ...]] = set()
        for backup in newest_first:
            key = period(backup.made_at)
            if key not in seen and len(seen) < getattr(keep, word):
                kept.setdefault(backup.name, []).append(word[:-1])
            seen.add(key)
    return kept
