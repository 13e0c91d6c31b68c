"""What runs from time to time, once however many processes there are. An app registers its own in `AppConfig.ready`:

    schedules.add(Schedule("ops.backup", back_up, every=timedelta(hours=24)))
    schedules.add(Schedule("metrics.thin", thin, at=time(3, 30)))

Some process that runs agents calls the function: a plain one in a thread of its own, a coroutine function on the event
loop. It must bear to be called again after its process died in the middle of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Schedule:
    """`every` so often, at once when the server first starts; or once a day `at` a time in UTC. What was missed while
    no process was there is run once, when one is."""

    name: str  # app.verb_noun, the same for ever: the ledger knows it by that
    run: Callable[[], object]
    every: timedelta | None = None
    at: time | None = None
    longest: timedelta = timedelta(hours=1)  # a run that is not over by then has died with its process

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError(f"The schedule {self.name} needs either `every` or `at`.")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError(f"The schedule {self.name} cannot run more than once a second.")

    def first(self, now: datetime) -> datetime:
        return now if self.every is not None else self.after(now)

    def after(self, now: datetime) -> datetime:
        """The next time."""
        if self.every is not None:
            return now + self.every
        assert self.at is not None
        today = now.replace(
            hour=self.at.hour, minute=self.at.minute, second=self.at.second, microsecond=self.at.microsecond
        )
        return today if today > now else today + DAY


_schedules: dict[str, Schedule] = {}


def add(schedule: Schedule) -> None:
    """Registering a name again replaces what it was."""
    _schedules[schedule.name] = schedule


def remove(name: str) -> None:
    _schedules.pop(name, None)


def all_schedules() -> list[Schedule]:
    return list(_schedules.values())
