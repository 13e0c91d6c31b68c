from __future__ import annotations

import pytest

from agents_app.brains.embedded.clothes import Weather, advice, summary, weather_in_facts, weather_in_words

OSLO = {
    "description": "light rain",
    "temperature_c": 7.2,
    "feels_like_c": 4.1,
    "wind_kmh": 14.4,
    "precipitation_mm": 2.1,
    "precipitation_chance": 60,
}


def test_it_works() -> None:
    weather = weather_in_facts(OSLO)
    assert weather == Weather(4.1, 7.2, wet=True, snow=False, wind_kmh=14.4)
    assert summary(weather) == "7 °C, feels like 4 °C, rain"
    assert "warm coat" in advice(weather) and "umbrella" in advice(weather)


@pytest.mark.parametrize(
    ("text", "weather"),
    [
        (
            "**Oslo**, today: light rain, 7 °C now, feels like 4 °C, between 3 and 9 °C over the day. Wind 14 km/h.",
            Weather(4, 7, wet=True, wind_kmh=14),
        ),
        ("It is a sunny 24°C in Rome, and dry.", Weather(24, 24)),
        ("Snow, −4 °C, feels like −10 °C, wind 22 km/h.", Weather(-10, -4, snow=True, wind_kmh=22)),
        ("Between 10 and 20 °C tomorrow, no rain.", Weather(15, 15)),
        ("A balmy 68 °F.", Weather(20, 20)),
        ("Rain is likely: showers, gusts of wind up to 50 km/h at 12 °C", Weather(12, 12, wet=True, wind_kmh=50)),
    ],
)
def test_weather_in_words(text: str, weather: Weather) -> None:
    assert weather_in_words(text) == weather


def test_words_without_a_temperature_are_no_weather() -> None:
    assert weather_in_words("I do not talk about blizzards.") is None


@pytest.mark.parametrize(
    ("weather", "words"),
    [
        (Weather(-15, -8), "thickest winter coat"),
        (Weather(-5, -2, snow=True), "boots"),
        (Weather(12, 12, wet=True, wind_kmh=50), "an umbrella will not survive"),
        (Weather(17, 18, wind_kmh=40), "windproof"),
        (Weather(31, 30), "sunscreen"),
    ],
)
def test_advice_fits_the_weather(weather: Weather, words: str) -> None:
    assert words in advice(weather)
