"""Which place is meant: names to coordinates, country and time zone, from Open-Meteo's geocoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from agents_app.base import ToolError
from agents_app.tools.json_service import get_json

MAX_CANDIDATES = 10
NAME_MAX_CHARS = 100
# What people say for countries whose official name in the answers is longer, or another.
COUNTRY_CODES = {
    "usa": "US", "america": "US", "united states of america": "US", "uk": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "great britain": "GB", "holland": "NL", "czech republic": "CZ", "turkey": "TR", "deutschland": "DE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    region: str
    country: str
    country_code: str
    latitude: float
    longitude: float
    zone: str = ""  # IANA; empty when the service does not say

    @property
    def full_name(self) -> str:
        return f"{self.name}, {self.country}" if self.country else self.name

    def is_in(self, area: str) -> bool:
        """Whether `area`, in lower case, is the country or region it lies in."""
        code = COUNTRY_CODES.get(area, area.upper())
        return area in (self.country.lower(), self.region.lower()) or code == self.country_code


async def find_place(text: str) -> Place:
    """The best known place of that name; "Paris, Texas" narrows it. Raises `ToolError`, which asks for a better one."""
    name, narrower = name_parts(text)
    answer = await get_json(
        "Open-Meteo",
        f"{settings.OPEN_METEO_GEOCODING_URL}/v1/search",
        {"name": name, "count": MAX_CANDIDATES, "language": "en", "format": "json"},
    )
    found = [_place(result) for result in (answer.get("results") if isinstance(answer, dict) else None) or []]
    return best_place(text, found, narrower)


def name_parts(text: str) -> tuple[str, list[str]]:
    """("paris", ["texas"]) of "Paris, Texas"."""
    name, *narrower = (" ".join(part.split()) for part in text.split(","))
    if not name or len(text) > NAME_MAX_CHARS:
        raise ToolError("Which place? Name a town, such as “Oslo” or “Paris, Texas”.")
    return name, [part.lower() for part in narrower if part]


def best_place(text: str, found: list[Place], narrower: list[str]) -> Place:
    if not found:
        raise ToolError(
            f"I do not know a place called “{text.strip()}”. Try its English name, or a larger town near it."
        )
    fitting = [place for place in found if all(place.is_in(area) for area in narrower)]
    if not fitting:
        known = "; ".join(
            dict.fromkeys(f"{place.name} in {place.region or place.name}, {place.country}" for place in found[:3])
        )
        raise ToolError(f"I do not know “{text.strip()}”, but {known}. Which one?")
    return fitting[0]


def _place(result: dict[str, Any]) -> Place:
    return Place(
        name=result["name"],
        region=result.get("admin1") or "",
        country=result.get("country") or "",
        country_code=result.get("country_code") or "",
        latitude=result["latitude"],
        longitude=result["longitude"],
        zone=result.get("timezone") or "",
    )
