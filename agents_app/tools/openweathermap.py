"""Weather from OpenWeatherMap, with the key in `settings.OPENWEATHER_API_KEY`; its free plan is enough."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings

from agents_app.tools.countries import country_name
from agents_app.tools.forecast import Forecast, choose_day
from agents_app.tools.json_service import get_json
from agents_app.tools.places import Place, best_place, name_parts

NAME = "OpenWeatherMap"
MAX_CANDIDATES = 5  # more are not given
KMH = 3.6  # of a metre per second

Reading = dict[str, Any]  # the weather of three hours, or of now


async def find_place(text: str) -> Place:
    name, narrower = name_parts(text)
    answer = await _ask("/geo/1.0/direct", {"q": name, "limit": MAX_CANDIDATES})
    found = [
        Place(
            name=result["name"],
            region=result.get("state") or "",
            country=country_name(result["country"]),
            country_code=result["country"],
            latitude=result["lat"],
            longitude=result["lon"],
        )
        for result in answer
    ]
    return best_place(text, found, narrower)


async def find_forecast(place: Place, day: str) -> Forecast:
    where = {"lat": place.latitude, "lon": place.longitude, "units": "metric"}
    now = await _ask("/data/2.5/weather", where)
    readings = (await _ask("/data/2.5/forecast", where))["list"]
    offset = timedelta(seconds=now["timezone"])
    today = _day(now, offset)
    wanted = choose_day(day, today, _day(readings[-1], offset))
    that_day = [reading for reading in readings if _day(reading, offset) == wanted]
    return _forecast(wanted, today, [now, *that_day] if wanted == today else that_day)


async def _ask(path: str, params: dict[str, Any]) -> Any:
    return await get_json(NAME, settings.OPENWEATHER_URL + path, {**params, "appid": settings.OPENWEATHER_API_KEY})


def _day(reading: Reading, offset: timedelta) -> date:
    """The date on the calendar at the place."""
    return (datetime.fromtimestamp(reading["dt"], UTC) + offset).date()


def _forecast(day: date, today: date, readings: list[Reading]) -> Forecast:
    """Of today, the first of the readings is that of now."""
    temperatures = [reading["main"]["temp"] for reading in readings]
    warmest = readings[temperatures.index(max(temperatures))]
    main = readings[0] if day == today else warmest
    descriptions = Counter(reading["weather"][0]["description"] for reading in readings)
    return Forecast(
        day=day,
        today=today,
        description=main["weather"][0]["description"] if day == today else descriptions.most_common(1)[0][0],
        temperature_c=main["main"]["temp"],
        feels_like_c=main["main"]["feels_like"],
        high_c=max(temperatures),
        low_c=min(temperatures),
        wind_kmh=KMH
        * (main["wind"]["speed"] if day == today else max(reading["wind"]["speed"] for reading in readings)),
        precipitation_mm=sum(_fallen(reading) for reading in readings),
        precipitation_chance=round(100 * max(reading.get("pop", 0) for reading in readings)),
    )


def _fallen(reading: Reading) -> float:
    """Millimetres in three hours."""
    return sum(reading.get(kind, {}).get("3h", 0) for kind in ("rain", "snow"))
