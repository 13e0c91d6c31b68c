"""The tool `current_time`."""

from __future__ import annotations

from datetime import datetime, timedelta
from datetime import timezone as datetime_timezone

from django.utils import timezone

from agents_app.base import ToolError, ToolResult, Turn, tool
from agents_app.tools.places import find_place
from agents_app.tools.time_zones import SeveralZones, Zone, find_zone


@tool
async def current_time(turn: Turn, place_or_zone: str = "") -> ToolResult:
    """Tell the time and date it is now, here or anywhere. Use it whenever an answer depends on today's date, the weekday
    or the time; do not guess them.

    `place_or_zone` is a city ("Oslo", "Portland, Oregon"), a country, an IANA zone ("Europe/Oslo") or "UTC+2"; leave it
    empty for the server's own time zone.
    """
    where = await _where(place_or_zone.strip().strip("?.!"))
    now = timezone.now().astimezone(where.zone)
    offset = str(datetime_timezone(now.utcoffset() or timedelta()))
    return ToolResult(
        _sentence(where, now, offset),
        {
            "place": where.place,
            "zone": str(where.zone),
            "time": f"{now:%H:%M}",
            "date": now.date().isoformat(),
            "weekday": f"{now:%A}",
            "utc_offset": offset,
            "iso": now.isoformat(timespec="seconds"),
        },
    )


async def _where(text: str) -> Zone:
    if not text:
        return Zone("", timezone.get_current_timezone())
    try:
        known = find_zone(text)
    except SeveralZones as error:
        raise ToolError(str(error)) from None
    if known:
        return known
    place = await find_place(text)
    zone = find_zone(place.zone) if place.zone else None
    if not zone:
        raise ToolError(f"I do not know the time zone of {place.full_name}. Name a large city near it.")
    return Zone(place.full_name, zone.zone)


def _sentence(where: Zone, now: datetime, offset: str) -> str:
    abbreviation = now.tzname() or ""
    zone = f"{abbreviation}, {offset}" if abbreviation.isalpha() and abbreviation != offset else offset
    begin = f"In {where.place} it is" if where.place else "It is"
    return f"{begin} {now:%H:%M} on {now:%A}, {now.day} {now:%B %Y} ({zone})."
