"""What to wear: from the weather as numbers, or as another agent put it into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WINDY_KMH = 35
LIKELY_PERCENT = 40

# Up to this many °C as they feel: what to put on.
_LAYERS = (
    (-10, "thermal underwear, your thickest winter coat, hat, scarf and gloves"),
    (0, "a winter coat over a warm sweater, with hat and gloves"),
    (8, "a warm coat and a sweater; a scarf does no harm"),
    (14, "a jacket over a light sweater"),
    (19, "long sleeves, and a light jacket for later"),
    (25, "a T-shirt, with something light to put over it in the evening"),
    (100, "the lightest things you have, sunglasses and sunscreen; drink enough"),
)
NUMBER = r"[-−–]?\d+(?:[.,]\d+)?"
FEELS = re.compile(rf"feels like\s*({NUMBER})", re.IGNORECASE)
BETWEEN = re.compile(rf"({NUMBER})\s*(?:°\s*C?)?\s*(?:and|to|–|-)\s*({NUMBER})\s*°", re.IGNORECASE)
DEGREES = re.compile(rf"({NUMBER})\s*°\s*(?P<unit>F)?", re.IGNORECASE)
WIND = re.compile(rf"(?:wind[^.\d]{{0,20}}({NUMBER})\s*km/h|({NUMBER})\s*km/h)", re.IGNORECASE)
DRY = re.compile(r"\b(dry|no rain|without rain|no precipitation)\b", re.IGNORECASE)
WET = re.compile(r"\b(rain\w*|drizzle|showers?|sleet|thunderstorms?)\b", re.IGNORECASE)
WHITE = re.compile(r"\b(snow\w*|blizzard)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weather:
    feels_like_c: float
    temperature_c: float
    wet: bool = False
    snow: bool = False
    wind_kmh: float = 0


def weather_in_facts(facts: Mapping[str, Any]) -> Weather:
    description = str(facts["description"])
    falls = facts["precipitation_mm"] >= 0.2 and (facts["precipitation_chance"] or 100) >= LIKELY_PERCENT
    snow = bool(WHITE.search(description))
    return Weather(
        feels_like_c=facts["feels_like_c"],
        temperature_c=facts["temperature_c"],
        wet=not snow and (falls or bool(WET.search(description))),
        snow=snow,
        wind_kmh=facts["wind_kmh"],
    )


def weather_in_words(text: str) -> Weather | None:
    """None where the text names no temperature."""
    degrees = _degrees(text)
    if degrees is None:
        return None
    feels, wind = FEELS.search(text), WIND.search(text)
    return Weather(
        feels_like_c=_number(feels[1]) if feels else degrees,
        temperature_c=degrees,
        wet=bool(WET.search(DRY.sub("", text))) and not DRY.search(text),
        snow=bool(WHITE.search(text)),
        wind_kmh=_number(wind[1] or wind[2]) if wind else 0,
    )


def advice(weather: Weather) -> str:
    """A Markdown list."""
    layers = next(words for limit, words in _LAYERS if weather.feels_like_c <= limit)
    lines = [f"**Wear** {layers}."]
    if weather.snow:
        lines.append("**Snow:** waterproof boots with a good sole.")
    if weather.wet and weather.wind_kmh >= WINDY_KMH:
        lines.append("**Rain and wind:** a waterproof jacket with a hood; an umbrella will not survive.")
    elif weather.wet:
        lines.append("**Rain:** take an umbrella, and shoes that may get wet.")
    elif weather.wind_kmh >= WINDY_KMH:
        lines.append("**Wind:** something windproof on top.")
    return "\n".join(f"- {line}" for line in lines)


def summary(weather: Weather) -> str:
    """ "7 °C, feels like 4 °C, wet" """
    parts = [f"{whole(weather.temperature_c)} °C"]
    if round(weather.feels_like_c) != round(weather.temperature_c):
        parts.append(f"feels like {whole(weather.feels_like_c)} °C")
    parts += ["snow"] if weather.snow else ["rain"] if weather.wet else []
    return ", ".join(parts)


def whole(number: float) -> str:
    """Rounded, with a true minus sign and never as minus zero."""
    return f"{round(number)}".replace("-", "−")


def _degrees(text: str) -> float | None:
    single, between = DEGREES.search(text), BETWEEN.search(text)
    if between and (not single or between.start() <= single.start()):
        return (_number(between[1]) + _number(between[2])) / 2
    if not single:
        return None
    number = _number(single[1])
    return (number - 32) * 5 / 9 if single["unit"] else number


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace("–", "-").replace(",", "."))
