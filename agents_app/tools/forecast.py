"""What both weather services are asked for: a day, and the weather of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TODAY = ("", "today", "now", "right now", "currently", "tonight", "this morning", "this afternoon", "this evening")


class UnknownDay(ValueError):
    """There is no forecast for that day. The text asks for another."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of today the temperature is that of this hour; of a later day it is the warmest, as is the wind the strongest."""

    day: date
    today: date  # at the place
    description: str
    temperature_c: float
    feels_like_c: float
    high_c: float
    low_c: float
    wind_kmh: float
    precipitation_mm: float
    precipitation_chance: int | None  # percent

    @property
    def day_name(self) -> str:
        """ "today", "tomorrow" or the weekday."""
        ahead = (self.day - self.today).days
        return ("today", "tomorrow")[ahead] if ahead < 2 else WEEKDAYS[self.day.weekday()].capitalize()


def choose_day(text: str, first: date, last: date) -> date:
    """The day somebody means, of those between `first` (today at the place) and `last`. Raises `UnknownDay`."""
    words = " ".join(text.lower().split()).removeprefix("on ").removeprefix("this ").rstrip("?.!")
    day = _named_day(words, first)
    if day is None:
        raise UnknownDay(f"Which day is “{text[:40]}”? Say today, tomorrow, a weekday, or a date such as {first}.")
    if not first <= day <= last:
        raise UnknownDay(f"There is a forecast from {first} to {last} only, and {day} is outside of it.")
    return day


def _named_day(words: str, today: date) -> date | None:
    if words in TODAY or f"this {words}" in TODAY:
        return today
    days_ahead = {"yesterday": -1, "tomorrow": 1, "day after tomorrow": 2, "the day after tomorrow": 2}
    if words.split(" ", maxsplit=1)[0] == "tomorrow":  # tomorrow morning
        words = "tomorrow"
    if words in days_ahead:
        return today + timedelta(days=days_ahead[words])
    name = words.removeprefix("next ").removeprefix("coming ").split(" ")[0]
    for number, weekday in enumerate(WEEKDAYS):
        if len(name) >= 3 and weekday.startswith(name):
            return today + timedelta(days=(number - today.weekday()) % 7)
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None
