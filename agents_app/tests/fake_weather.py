"""Open-Meteo and OpenWeatherMap for a handful of cities, in the shapes of their own answers. The weather never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = 8
GOOD_KEY = "good-key"


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class City:
    name: str
    region: str
    country: str
    code: str
    latitude: float
    longitude: float
    zone: str
    temperature: float
    feels_like: float
    wind_kmh: float
    rain_mm: float
    chance: int
    wmo: int
    owm: str

    def now(self) -> datetime:
        return datetime.now(ZoneInfo(self.zone))


CITIES = [
    City("Oslo", "Oslo", "Norway", "NO", 59.91, 10.75, "Europe/Oslo", 7.2, 4.1, 14.4, 2.1, 60, 61, "light rain"),
    City(
        "Punxsutawney", "Pennsylvania", "United States", "US", 40.94, -78.97, "America/New_York",
        -4.0, -9.5, 22.0, 5.0, 90, 73, "snow",
    ),
    City("Berlin", "Berlin", "Germany", "DE", 52.52, 13.41, "Europe/Berlin", 12.0, 11.0, 10.0, 0.0, 5, 2, "few clouds"),
    City("Paris", "Île-de-France", "France", "FR", 48.85, 2.35, "Europe/Paris", 18.5, 18.0, 8.0, 0.0, 0, 0, "clear sky"),
    City("Paris", "Texas", "United States", "US", 33.66, -95.55, "America/Chicago", 29.0, 31.0, 12.0, 0.0, 10, 1, "haze"),
    City("Tokyo", "Tokyo", "Japan", "JP", 35.69, 139.69, "Asia/Tokyo", 21.0, 21.5, 9.0, 0.4, 30, 80, "shower rain"),
]  # fmt: skip


def _named(name: str) -> list[City]:
    return [city for city in CITIES if city.name.lower() == name.strip().lower()]


def _at(query: dict[str, str], latitude: str, longitude: str) -> City:
    wanted = float(query[latitude]), float(query[longitude])
    return next(city for city in CITIES if (city.latitude, city.longitude) == wanted)


# Open-Meteo


def geocoding(query: dict[str, str]) -> dict[str, Any]:
    found = _named(query["name"])
    results = [
        {
            "name": city.name, "latitude": city.latitude, "longitude": city.longitude, "timezone": city.zone,
            "country": city.country, "country_code": city.code, "admin1": city.region,
        }
        for city in found
    ]  # fmt: skip
    return {"results": results, "generationtime_ms": 0.5} if results else {"generationtime_ms": 0.5}


def forecast(query: dict[str, str]) -> dict[str, Any]:
    """Each day is one degree warmer than the one before."""
    city = _at(query, "latitude", "longitude")
    days = range(DAYS)
    return {
        "timezone": city.zone,
        "current": {
            "time": city.now().strftime("%Y-%m-%dT%H:%M"),
            "temperature_2m": city.temperature,
            "apparent_temperature": city.feels_like,
            "precipitation": 0.1 if city.rain_mm else 0.0,
            "weather_code": city.wmo,
            "wind_speed_10m": city.wind_kmh,
        },
        "daily": {
            "time": [(city.now() + timedelta(days=day)).strftime("%Y-%m-%d") for day in days],
            "weather_code": [city.wmo for _ in days],
            "temperature_2m_max": [city.temperature + 2 + day for day in days],
            "temperature_2m_min": [city.temperature - 4 + day for day in days],
            "apparent_temperature_max": [city.feels_like + 2 + day for day in days],
            "precipitation_sum": [city.rain_mm for _ in days],
            "precipitation_probability_max": [city.chance for _ in days],
            "wind_speed_10m_max": [city.wind_kmh + 5 for _ in days],
        },
    }


# OpenWeatherMap


def owm_geocoding(query: dict[str, str]) -> list[dict[str, Any]]:
    _check_key(query)
    name, *narrower = (part.strip().lower() for part in query["q"].split(","))
    return [
        {"name": city.name, "lat": city.latitude, "lon": city.longitude, "country": city.code, "state": city.region}
        for city in _named(name)
        if all(part in (city.code.lower(), city.region.lower()) for part in narrower)
    ]


def owm_now(query: dict[str, str]) -> dict[str, Any]:
    _check_key(query)
    city = _at(query, "lat", "lon")
    return {**_owm_reading(city, city.now(), 0), "name": city.name, "timezone": _offset(city)}


def owm_forecast(query: dict[str, str]) -> dict[str, Any]:
    """Five days in steps of three hours, the warmest at 15 o'clock, each day one degree warmer than the one before."""
    _check_key(query)
    city = _at(query, "lat", "lon")
    start = city.now().replace(hour=0, minute=0, second=0, microsecond=0)
    readings = []
    for step in range(40):
        when = start + timedelta(hours=3 * step)
        readings.append(_owm_reading(city, when, (when.date() - start.date()).days - abs(when.hour - 15) / 3))
    return {"cnt": len(readings), "list": readings, "city": {"name": city.name, "timezone": _offset(city)}}


def _owm_reading(city: City, when: datetime, warmer: float) -> dict[str, Any]:
    reading: dict[str, Any] = {
        "dt": int(when.timestamp()),
        "main": {"temp": city.temperature + warmer, "feels_like": city.feels_like + warmer},
        "weather": [{"id": 500, "main": "Rain", "description": city.owm}],
        "wind": {"speed": city.wind_kmh / 3.6},
        "pop": city.chance / 100,
    }
    if city.rain_mm:
        reading["rain"] = {"3h": city.rain_mm / 8}
    return reading


def _offset(city: City) -> int:
    offset = city.now().utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _check_key(query: dict[str, str]) -> None:
    if query.get("appid") != GOOD_KEY:
        raise Refused(401, "Invalid API key.")


SERVICES = {
    "/v1/search": geocoding,
    "/v1/forecast": forecast,
    "/geo/1.0/direct": owm_geocoding,
    "/data/2.5/weather": owm_now,
    "/data/2.5/forecast": owm_forecast,
}
