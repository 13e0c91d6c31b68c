"""Weather from Open-Meteo, which needs no key."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings

from agents_app.tools.forecast import Forecast, choose_day
from agents_app.tools.json_service import get_json
from agents_app.tools.places import Place, find_place

__all__ = ["NAME", "find_forecast", "find_place"]  # what `openweathermap` has too

NAME = "Open-Meteo"
DAYS = 8
CURRENT = "temperature_2m,apparent_temperature,weather_code,wind_speed_10m"
DAILY = (
    "weather_code,temperature_2m_max,temperature_2m_min,apparent_temperature_max,precipitation_sum,"
    "precipitation_probability_max,wind_speed_10m_max"
)

# WMO weather interpretation codes
DESCRIPTIONS = {
    0: "clear sky", 1: "mostly clear", 2: "partly cloudy", 3: "overcast", 45: "fog", 48: "freezing fog",
    51: "light drizzle", 53: "drizzle", 55: "heavy drizzle", 56: "light freezing drizzle", 57: "freezing drizzle",
    61: "light rain", 63: "rain", 65: "heavy rain", 66: "light freezing rain", 67: "freezing rain",
    71: "light snow", 73: "snow", 75: "heavy snow", 77: "snow grains",
    80: "light showers", 81: "showers", 82: "violent showers", 85: "light snow showers", 86: "heavy snow showers",
    95: "thunderstorm", 96: "thunderstorm with hail", 99: "thunderstorm with heavy hail",
}  # fmt: skip


async def find_forecast(place: Place, day: str) -> Forecast:
    answer = await get_json(
        NAME,
        f"{settings.OPEN_METEO_URL}/v1/forecast",
        {
            "latitude": place.latitude,
            "longitude": place.longitude,
            "timezone": "auto",
            "forecast_days": DAYS,
            "current": CURRENT,
            "daily": DAILY,
        },
    )
    days = [date.fromisoformat(text) for text in answer["daily"]["time"]]
    wanted = choose_day(day, days[0], days[-1])
    number = days.index(wanted)
    daily = {name: values[number] for name, values in answer["daily"].items()}
    return _forecast(wanted, days[0], daily, answer["current"] if number == 0 else None)


def _forecast(day: date, today: date, daily: dict[str, Any], current: dict[str, Any] | None) -> Forecast:
    now = current or {
        "weather_code": daily["weather_code"],
        "temperature_2m": daily["temperature_2m_max"],
        "apparent_temperature": daily["apparent_temperature_max"],
        "wind_speed_10m": daily["wind_speed_10m_max"],
    }
    return Forecast(
        day=day,
        today=today,
        description=DESCRIPTIONS.get(int(now["weather_code"]), "unsettled"),
        temperature_c=float(now["temperature_2m"]),
        feels_like_c=float(now["apparent_temperature"]),
        high_c=float(daily["temperature_2m_max"]),
        low_c=float(daily["temperature_2m_min"]),
        wind_kmh=float(now["wind_speed_10m"]),
        precipitation_mm=float(daily["precipitation_sum"] or 0),
        precipitation_chance=daily["precipitation_probability_max"],
    )
