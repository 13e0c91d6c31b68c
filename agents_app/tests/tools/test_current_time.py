from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from agents_app.base import ToolError
from agents_app.tools import current_time
from agents_app.tools.time_zones import find_zone


@pytest.fixture(autouse=True)
def winter(monkeypatch):
    """Five past one in the afternoon, UTC, on a Tuesday in March, when clocks in America are on summer time already."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 10, 13, 5, 30, tzinfo=UTC))


async def test_it_works():
    found = await current_time(None, place_or_zone="Oslo")
    assert found.text == "In Oslo it is 14:05 on Tuesday, 10 March 2026 (CET, UTC+01:00)."
    assert found.facts == {
        "place": "Oslo",
        "zone": "Europe/Oslo",
        "time": "14:05",
        "date": "2026-03-10",
        "weekday": "Tuesday",
        "utc_offset": "UTC+01:00",
        "iso": "2026-03-10T14:05:30+01:00",
    }


async def test_without_a_place_it_is_the_server_s_time(settings):
    assert (await current_time(None)).text == "It is 13:05 on Tuesday, 10 March 2026 (UTC)."
    settings.TIME_ZONE = "Asia/Kolkata"
    assert (await current_time(None)).facts["iso"] == "2026-03-10T18:35:30+05:30"


@pytest.mark.parametrize(
    ("asked", "place", "zone"),
    [
        ("Europe/Oslo", "Oslo", "Europe/Oslo"),
        ("america/new_york", "New York", "America/New_York"),
        ("new york", "New York", "America/New_York"),
        ("NYC", "NYC", "America/New_York"),
        ("Punxsutawney", "Punxsutawney", "America/New_York"),
        ("Tokyo?", "Tokyo", "Asia/Tokyo"),
        ("beijing", "Beijing", "Asia/Shanghai"),
        ("San Francisco", "San Francisco", "America/Los_Angeles"),
        ("São Paulo", "Sao Paulo", "America/Sao_Paulo"),
        ("Zürich", "Zurich", "Europe/Zurich"),
        ("Buenos Aires", "Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("Oslo, Norway", "Oslo", "Europe/Oslo"),
        ("New York, USA", "New York", "America/New_York"),
        ("Norway", "Norway", "Europe/Oslo"),
        ("germany", "Germany", "Europe/Berlin"),
        ("Spain", "Spain", "Europe/Madrid"),
        ("China", "China", "Asia/Shanghai"),
        ("England", "Britain (UK)", "Europe/London"),
        ("PST", "PST", "America/Los_Angeles"),
        ("CET", "CET", "Europe/Berlin"),
        ("UTC", "", "UTC"),
        ("gmt", "", "UTC"),
        ("UTC+2", "", "UTC+02:00"),
        ("UTC-03:30", "", "UTC-03:30"),
        ("+0545", "", "UTC+05:45"),
    ],
)
async def test_the_ways_to_name_a_zone(asked, place, zone):
    facts = (await current_time(None, place_or_zone=asked)).facts
    assert (facts["place"], facts["zone"]) == (place, zone)


async def test_offsets_are_whole():
    assert (await current_time(None, place_or_zone="Kathmandu")).facts["utc_offset"] == "UTC+05:45"
    assert (
        await current_time(None, place_or_zone="UTC-03:30")
    ).text == "It is 09:35 on Tuesday, 10 March 2026 (UTC-03:30)."
    assert (await current_time(None, place_or_zone="Buenos Aires")).text.endswith("(UTC-03:00).")
    assert (await current_time(None, place_or_zone="London")).text.endswith("(GMT, UTC).")


async def test_a_country_with_several_zones_asks_for_a_city():
    with pytest.raises(ToolError, match="United States has several time zones.*New York.*Los Angeles"):
        await current_time(None, place_or_zone="USA")


async def test_a_small_town_is_looked_up(internet):
    found = await current_time(None, place_or_zone="Paris, Texas")
    assert found.text == "In Paris, United States it is 08:05 on Tuesday, 10 March 2026 (CDT, UTC-05:00)."
    assert internet.asked[0].query["name"] == "Paris"


async def test_known_places_need_no_network(internet):
    await current_time(None, place_or_zone="Berlin, Germany")
    await current_time(None, place_or_zone="Japan")
    assert internet.asked == []


async def test_an_unknown_place_asks_for_a_better_one(internet):
    with pytest.raises(ToolError, match="do not know a place called “Atlantis”"):
        await current_time(None, place_or_zone="Atlantis")


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "Europe", "utc+99", "utc+", "\0", "Europe/../Oslo", ","])
def test_what_is_no_zone(text):
    assert find_zone(text) is None
