"""The tool `weather`. Which service answers: `open_meteo`, or `openweathermap` when its key is set."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from agents_app.base import ToolError, ToolResult, Turn, tool
from agents_app.tools import open_meteo, openweathermap
from agents_app.tools.forecast import Forecast, UnknownDay
from agents_app.tools.places import Place


@tool(seconds=40)
async def weather(turn: Turn, place: str, day: str = "today") -> ToolResult:
    """Look up the real weather of a place: temperature, feels-like, wind, rain and what the sky is like.

    Use it for every question about weather, and for what depends on it: clothes, umbrellas, trips outside.
    `place` is a town, if need be with region or country: "Oslo", "Paris, Texas". `day` is "today", "tomorrow", a
    weekday such as "friday", or a date such as "2026-03-14", at most a week ahead.
    """
    service = openweathermap if settings.OPENWEATHER_API_KEY else open_meteo
    try:
        where = await service.find_place(place)
        found = await service.find_forecast(where, day)
    except UnknownDay as error:
        raise ToolError(str(error)) from None
    except (KeyError, IndexError, TypeError, ValueError):  # an answer in another shape than the service documents
        raise ToolError(f"{service.NAME} gave an answer that cannot be read.") from None
    return ToolResult(_sentence(where, found), _facts(where, found))


def _sentence(place: Place, found: Forecast) -> str:
    feels = f"feels like {_whole(found.feels_like_c)}"
    between = f"between {_whole(found.low_c)} and {_whole(found.high_c)} °C"
    rain = f"{found.precipitation_mm:.1f} mm of precipitation" if found.precipitation_mm >= 0.05 else "dry"
    chance = "" if found.precipitation_chance is None else f" ({found.precipitation_chance} % chance)"
    if found.day == found.today:
        when, warmth = "today", f"{_whole(found.temperature_c)} °C now, {feels}, {between} over the day"
    else:
        when = f"on {found.day:%A}, {found.day.day} {found.day:%B}"
        warmth = f"{between}, {feels} at the warmest"
    return (
        f"{place.full_name} {when}: {found.description}, {warmth}, wind {_whole(found.wind_kmh)} km/h, {rain}{chance}."
    )


def _whole(number: float) -> str:
    """Rounded, with a true minus sign and never as minus zero."""
    return f"{round(number)}".replace("-", "−")


def _facts(place: Place, found: Forecast) -> dict[str, Any]:
    return {
        "place": place.name,
        "country": place.country,
        "day": found.day_name,
        "date": found.day.isoformat(),
        "description": found.description,
        "temperature_c": round(found.temperature_c, 1),
        "feels_like_c": round(found.feels_like_c, 1),
        "high_c": round(found.high_c, 1),
        "low_c": round(found.low_c, 1),
        "wind_kmh": round(found.wind_kmh, 1),
        "precipitation_mm": round(found.precipitation_mm, 1),
        "precipitation_chance": found.precipitation_chance,
    }
