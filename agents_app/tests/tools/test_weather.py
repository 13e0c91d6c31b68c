from __future__ import annotations

from datetime import date, timedelta

import pytest

from agents_app.base import ToolError
from agents_app.tests.fake_internet import Page, redirect
from agents_app.tests.fake_weather import CITIES, GOOD_KEY
from agents_app.tools import weather
from agents_app.tools.forecast import UnknownDay, choose_day

OSLO = next(city for city in CITIES if city.name == "Oslo")


@pytest.fixture(params=["Open-Meteo", "OpenWeatherMap"])
def service(request, internet, settings):
    """Each of the two services in turn."""
    settings.OPENWEATHER_API_KEY = GOOD_KEY if request.param == "OpenWeatherMap" else ""
    return internet


async def test_it_works(internet):
    found = await weather(None, place="Oslo")
    assert found.text == (
        "Oslo, Norway today: light rain, 7 °C now, feels like 4, between 3 and 9 °C over the day, wind 14 km/h, "
        "2.1 mm of precipitation (60 % chance)."
    )
    assert found.facts == {
        "place": "Oslo",
        "country": "Norway",
        "day": "today",
        "date": OSLO.now().date().isoformat(),
        "description": "light rain",
        "temperature_c": 7.2,
        "feels_like_c": 4.1,
        "high_c": 9.2,
        "low_c": 3.2,
        "wind_kmh": 14.4,
        "precipitation_mm": 2.1,
        "precipitation_chance": 60,
    }
    assert [asked.path for asked in internet.asked] == ["/v1/search", "/v1/forecast"]


async def test_with_a_key_openweathermap_is_asked(internet, settings):
    settings.OPENWEATHER_API_KEY = GOOD_KEY
    found = await weather(None, place="Oslo")
    assert found.facts["country"] == "Norway"
    assert (found.facts["temperature_c"], found.facts["feels_like_c"], found.facts["wind_kmh"]) == (7.2, 4.1, 14.4)
    assert found.facts["precipitation_chance"] == 60
    assert {asked.path for asked in internet.asked} == {"/geo/1.0/direct", "/data/2.5/weather", "/data/2.5/forecast"}


async def test_tomorrow_is_another_day(service):
    found = await weather(None, place="Oslo", day="tomorrow")
    tomorrow = OSLO.now().date() + timedelta(days=1)
    assert (found.facts["day"], found.facts["date"]) == ("tomorrow", tomorrow.isoformat())
    assert found.facts["temperature_c"] == found.facts["high_c"]
    assert f"on {tomorrow:%A}" in found.text
    assert "now" not in found.text


async def test_a_whole_later_day_from_steps_of_three_hours(internet, settings):
    settings.OPENWEATHER_API_KEY = GOOD_KEY
    facts = (await weather(None, place="Oslo", day="tomorrow")).facts
    assert (facts["high_c"], facts["low_c"]) == (8.2, 3.2)
    assert facts["precipitation_mm"] == 2.1


async def test_a_weekday(service):
    day = OSLO.now().date() + timedelta(days=3)
    found = await weather(None, place="Oslo", day=f"{day:%A}")
    assert (found.facts["day"], found.facts["date"]) == (f"{day:%A}", day.isoformat())


async def test_today_is_that_of_the_place(service):
    """In Tokyo it may be tomorrow already, which is not today's date here."""
    tokyo = next(city for city in CITIES if city.name == "Tokyo")
    assert (await weather(None, place="Tokyo")).facts["date"] == tokyo.now().date().isoformat()


async def test_frost_and_snow(service):
    found = await weather(None, place="punxsutawney")
    assert found.facts["country"] == "United States"
    assert "snow" in found.facts["description"]
    assert "−4 °C now, feels like −10" in found.text


async def test_a_dry_day_says_so(service):
    assert ", dry (5 % chance)." in (await weather(None, place="Berlin")).text


@pytest.mark.parametrize(
    ("place", "country"),
    [
        ("Paris", "France"),
        ("Paris, France", "France"),
        ("Paris, Texas", "United States"),
        (" paris ,  texas , USA", "United States"),
        ("Paris, us", "United States"),
    ],
)
async def test_places_of_the_same_name(place, country, service):
    assert (await weather(None, place=place)).facts["country"] == country


async def test_an_unknown_place_asks_for_a_better_one(service):
    with pytest.raises(ToolError, match="do not know a place called “Atlantis”.*larger town"):
        await weather(None, place="Atlantis")


async def test_a_place_that_is_elsewhere_says_where(service):
    with pytest.raises(ToolError, match="Paris in Île-de-France, France; Paris in Texas, United States"):
        await weather(None, place="Paris, Norway")


@pytest.mark.parametrize("place", ["", "  ", ",", "x" * 200])
async def test_no_place_at_all(place, service):
    with pytest.raises(ToolError, match="Which place"):
        await weather(None, place=place)
    assert service.asked == []


@pytest.mark.parametrize("day", ["yesterday", "2019-01-01", "in three weeks", "someday"])
async def test_days_without_a_forecast(day, service):
    with pytest.raises(ToolError, match="forecast from|Which day"):
        await weather(None, place="Oslo", day=day)


# What goes wrong


async def test_a_wrong_key_is_said_without_showing_it(internet, settings):
    settings.OPENWEATHER_API_KEY = "sk-not-a-good-key"
    with pytest.raises(ToolError, match="OpenWeatherMap does not accept this server's key") as refusal:
        await weather(None, place="Oslo")
    assert "sk-not" not in str(refusal.value)


async def test_a_service_that_has_moved_does_not_show_the_key(internet, settings):
    settings.OPENWEATHER_API_KEY = GOOD_KEY
    internet.services.pop("/geo/1.0/direct")
    internet.pages["/geo/1.0/direct"] = redirect(f"https://elsewhere.example/?appid={GOOD_KEY}")
    with pytest.raises(ToolError, match="OpenWeatherMap has moved") as refusal:
        await weather(None, place="Oslo")
    assert GOOD_KEY not in str(refusal.value)


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (Page("no json", "application/json"), "not give an answer"),
        (Page("{}", "application/json", status=500), "not give an answer"),
        (Page("{}", "application/json", status=429), "too often"),
        (Page("{}", "application/json"), "cannot be read"),
        (Page("[]", "application/json"), "cannot be read"),
        (Page("null", "application/json"), "cannot be read"),
        (Page('{"daily": {"time": []}}', "application/json"), "cannot be read"),
        (Page('{"daily": {"time": ["soon"]}, "list": 5}', "application/json"), "cannot be read"),
    ],
)
async def test_an_answer_that_is_none_names_the_service(page, why, service):
    for path in ("/v1/forecast", "/data/2.5/weather"):
        service.services.pop(path)
        service.pages[path] = page
    with pytest.raises(ToolError, match=f"(Open-Meteo|OpenWeatherMap).*{why}"):
        await weather(None, place="Oslo")


async def test_a_service_that_cannot_be_reached_names_it(settings):
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    settings.OPEN_METEO_GEOCODING_URL = "http://127.0.0.1:9"
    with pytest.raises(ToolError, match=r"Open-Meteo cannot be asked right now: 127\.0\.0\.1 cannot be reached"):
        await weather(None, place="Oslo")


async def test_a_local_weather_service_must_be_allowed(internet, settings):
    settings.OUTGOING_ALLOW = []
    with pytest.raises(ToolError, match="OUTGOING_ALLOW"):
        await weather(None, place="Oslo")


# Days

WEDNESDAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("today", 0), ("Today", 0), ("", 0), ("now", 0), ("tonight", 0), ("this evening", 0), ("tomorrow", 1),
        ("tomorrow morning", 1), ("the day after tomorrow", 2), ("wednesday", 0), ("Thursday", 1), ("on friday", 2),
        ("Fri", 2), ("this saturday", 3), ("next monday", 5), ("TUESDAY?", 6), ("tuesday night", 6), ("2026-03-15", 4),
    ],
)  # fmt: skip
def test_the_ways_to_name_a_day(text, ahead):
    assert choose_day(text, WEDNESDAY, WEDNESDAY + timedelta(days=7)) == WEDNESDAY + timedelta(days=ahead)


@pytest.mark.parametrize("text", ["yesterday", "2026-03-10", "2026-03-30", "next year", "t", "31", "2026-99-99"])
def test_days_that_are_not_there(text):
    with pytest.raises(UnknownDay):
        choose_day(text, WEDNESDAY, WEDNESDAY + timedelta(days=7))
