"""Countries and their time zones, from the tables that come with the `tzdata` package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def country_name(code: str) -> str:
    """ "Norway" of "NO"; the code itself when there is no such country."""
    return country_names().get(code.upper(), code)


@cache
def country_names() -> dict[str, str]:
    return dict(_table("iso3166.tab"))


@cache
def country_zones() -> dict[str, list[str]]:
    """The zones of each country by its code, the one where most people live mostly first."""
    zones: dict[str, list[str]] = {}
    for code, _coordinates, zone, *_comment in _table("zone.tab"):
        zones.setdefault(code, []).append(zone)
    return zones


def _table(name: str) -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
