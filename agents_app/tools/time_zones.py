"""Time zones by what people call them: "Oslo", "Europe/Oslo", "Norway", "CET", "UTC+2". Needs no network."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from agents_app.tools.countries import country_names, country_zones
from agents_app.tools.places import COUNTRY_CODES

CONTINENTS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip

# What the zones' own names do not say: large cities, and what people call some zones.
CITIES = {
    "America/Chicago": "dallas, houston, austin, san antonio, new orleans, st. louis, minneapolis, cst, cdt, central time",
    "America/Denver": "salt lake city, albuquerque, mst, mdt, mountain time",
    "America/Los_Angeles": "san francisco, seattle, san diego, las vegas, sacramento, silicon valley, california, "
    "pst, pdt, pacific time",
    "America/New_York": "new york city, nyc, washington, washington dc, boston, miami, atlanta, philadelphia, pittsburgh, "
    "punxsutawney, orlando, cleveland, est, edt, eastern time",
    "America/Sao_Paulo": "rio de janeiro, rio, brasilia",
    "America/Toronto": "ottawa, quebec",
    "Africa/Johannesburg": "cape town, pretoria, durban",
    "Africa/Lagos": "abuja",
    "Asia/Dubai": "abu dhabi",
    "Asia/Ho_Chi_Minh": "hanoi",
    "Asia/Jerusalem": "tel aviv",
    "Asia/Karachi": "islamabad, lahore",
    "Asia/Kolkata": "mumbai, bombay, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, ist",
    "Asia/Shanghai": "beijing, shenzhen, guangzhou, wuhan",
    "Asia/Tokyo": "osaka, kyoto, yokohama, jst",
    "Australia/Sydney": "canberra, aest, aedt",
    "Europe/Berlin": "munich, hamburg, frankfurt, cologne, stuttgart, leipzig, cet, cest",
    "Europe/Istanbul": "ankara",
    "Europe/London": "manchester, edinburgh, glasgow, liverpool, birmingham, oxford, cambridge, bst",
    "Europe/Madrid": "barcelona, valencia, seville",
    "Europe/Moscow": "st. petersburg, saint petersburg",
    "Europe/Oslo": "bergen, trondheim",
    "Europe/Paris": "lyon, marseille, toulouse, bordeaux",
    "Europe/Rome": "milan, naples, turin, florence, venice",
    "Europe/Stockholm": "gothenburg",
    "Europe/Warsaw": "krakow, gdansk",
    "Europe/Zurich": "geneva, bern, basel",
    "Pacific/Auckland": "wellington",
}

# Countries whose other zones are islands or outskirts: who names the country means the first one.
FIRST_ZONE_MEANT = ("CL", "CN", "EC", "ES", "NZ", "PT")
OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?")


class SeveralZones(LookupError):
    """A country with several zones. The text asks for a city."""


@dataclass(frozen=True, slots=True)
class Zone:
    place: str  # as people write it; empty for UTC and offsets from it
    zone: tzinfo


def find_zone(text: str) -> Zone | None:
    """The zone somebody means; None when only a map could tell. Raises `SeveralZones`."""
    name, _, area = (_plain(part) for part in text.partition(","))
    if not area:
        return _offset(name) or _named(name) or _of_country(name)
    found = _named(name)
    code = _country_codes().get(area)
    return found if found and code and str(found.zone) in country_zones().get(code, ()) else None


def _plain(text: str) -> str:
    """Lower case, without accents: "São_Paulo " → "sao paulo"."""
    letters = unicodedata.normalize("NFKD", text.replace("_", " ").lower())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def _offset(name: str) -> Zone | None:
    if name in ("utc", "gmt", "z", "zulu", "universal time"):
        return Zone("", UTC)
    found = OFFSET.fullmatch(name)
    if not found or int(found[2]) > 14:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return Zone("", timezone(-offset if found[1] == "-" else offset))


def _named(name: str) -> Zone | None:
    known = _names().get(name)
    return Zone(known[0], ZoneInfo(known[1])) if known else None


@cache
def _names() -> dict[str, tuple[str, str]]:
    """For each name in lower case the place as it is written and the zone; the first meaning of a name counts."""
    names: dict[str, tuple[str, str]] = {}
    for zone, cities in CITIES.items():
        for city in cities.split(", "):
            names[city] = (_written(city), zone)
    for zone in sorted(available_timezones()):
        names.setdefault(_plain(zone), (_city(zone), zone))
        if zone.startswith(CONTINENTS):
            names.setdefault(_plain(_city(zone)), (_city(zone), zone))
    return names


def _city(zone: str) -> str:
    return zone.rsplit("/", 1)[-1].replace("_", " ")


def _written(city: str) -> str:
    return city.upper() if len(city) <= 4 and city not in ("rio", "bern", "lyon") else city.title()


def _of_country(name: str) -> Zone | None:
    code = _country_codes().get(name)
    zones = country_zones().get(code, []) if code else []
    if not zones:
        return None
    now = datetime.now(UTC)
    offsets = {now.astimezone(ZoneInfo(zone)).utcoffset(): zone for zone in reversed(zones)}
    country = country_names()[code or ""]
    if len(offsets) > 1 and code not in FIRST_ZONE_MEANT:
        cities = ", ".join(_city(zone) for zone in zones if zone in offsets.values())
        raise SeveralZones(f"{country} has several time zones. Name a city, such as {cities}.")
    return Zone(country, ZoneInfo(zones[0]))


@cache
def _country_codes() -> dict[str, str]:
    return {_plain(name): code for code, name in country_names().items()} | COUNTRY_CODES
