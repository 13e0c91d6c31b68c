from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import pytest

from agents_app import registry
from agents_app.base import Agent
from agents_app.brains.embedded.wording import DEFAULT_VOICE, Voice, gist, word_result

MESSAGES = [UUID(int=number) for number in range(12)]
FORECAST = {
    "place": "Oslo",
    "country": "Norway",
    "day": "today",
    "date": "2026-03-01",
    "description": "light rain",
    "temperature_c": 7.2,
    "feels_like_c": 4.1,
    "high_c": 9.0,
    "low_c": 3.0,
    "wind_kmh": 14.4,
    "precipitation_mm": 2.1,
    "precipitation_chance": 60,
}


class Plain(Agent):
    id = "plain"
    name = "Plain"
    description = "Says little."
    voice: ClassVar = {"weather": ("{place}: {temperature_c}", "{place} again", "{place} with {nothing}")}


def voice_of(agent: Agent, message: UUID = MESSAGES[0]) -> Voice:
    about = {"name": agent.name, "description": agent.description, "skills": "- none", "brain": "I am small."}
    return Voice(agent, message, about)


def test_it_works() -> None:
    assert word_result(voice_of(Plain()), "weather", "", "", FORECAST, "") in ("Oslo: 7", "Oslo again")


def test_the_same_message_gets_the_same_words_and_others_vary() -> None:
    said = {message: {voice_of(Plain(), message).say("weather", FORECAST) for _ in range(3)} for message in MESSAGES}
    assert all(len(words) == 1 for words in said.values())
    assert set.union(*said.values()) == {"Oslo: 7", "Oslo again"}, "a template whose facts are missing is passed over"


def test_an_agent_without_a_voice_speaks_plainly() -> None:
    assert voice_of(Plain()).say("greeting") == "Hello! I am Plain. Says little."
    assert voice_of(Plain()).say("nobody has words for this") == ""


def test_a_tool_without_templates_speaks_for_itself() -> None:
    assert word_result(voice_of(Plain()), "roll_dice", "", "You rolled a 6.", {}, "") == "You rolled a 6."


@pytest.mark.parametrize("agent_id", ["chloe", "phil"])
@pytest.mark.parametrize("message", MESSAGES[:4])
def test_every_topic_has_words_without_holes(agent_id: str, message: UUID) -> None:
    agent = registry.get_agent(agent_id)
    voice = voice_of(agent, message)
    facts = {
        "agent_name": "Somebody", "quote": "> words", "reading": "7 °C", "advice": "- a coat", "error": "No.",
        "days": 3, "date": "Monday", "result": "12", "text": "3 * 4 = 12", "title": "A page", "url": "https://a.example",
        "gist": "Words.", "when": "today", "warmth": "warm", "rain": "dry", "wind_kmh": 3, "place": "Oslo",
        "description": "sun",
    }  # fmt: skip
    for topic in {*DEFAULT_VOICE, *agent.voice}:
        said = voice.say(topic, facts)
        assert said and "{" not in said, topic


def test_the_weather_in_phils_voice() -> None:
    said = word_result(voice_of(registry.get_agent("phil")), "weather", "", "", FORECAST, "")
    assert "**Oslo**, today: light rain, 7 °C now, feels like 4 °C, between 3 and 9 °C over the day" in said
    assert "2.1 mm of precipitation (60 % chance)" in said


def test_a_forecast_for_another_day_says_nothing_of_now() -> None:
    said = word_result(voice_of(Plain()), "weather", "clothes", "", {**FORECAST, "day": "Monday"}, "")
    assert "**Oslo**, on Monday: light rain, between 3 and 9 °C, feels like 4 °C" in said
    assert "umbrella" in said


def test_what_the_weatherman_said_becomes_advice() -> None:
    facts = {
        "agent": "phil",
        "agent_name": "Phil Connors",
        "state": "completed",
        "text": "7 °C, feels like 4 °C, rain.",
    }
    said = word_result(voice_of(registry.get_agent("chloe")), "ask_agent", "clothes", "", facts, "")
    assert "Phil Connors" in said and "7 °C, feels like 4 °C, rain" in said and "umbrella" in said


def test_an_answer_without_numbers_is_quoted() -> None:
    facts = {"agent": "phil", "agent_name": "Phil Connors", "state": "completed", "text": "No idea.\nAsk later."}
    said = word_result(voice_of(registry.get_agent("chloe")), "ask_agent", "clothes", "", facts, "")
    assert "> No idea.\n> Ask later." in said


PAGE = (
    "Gardens are places of rest. Roses need six hours of sun every day. Water them in the morning and never in the "
    "evening. Tulips come from Central Asia. They are planted in autumn."
)


def test_the_gist_answers_the_question() -> None:
    assert (
        gist(PAGE, "Where do tulips come from? https://example.com", most_chars=60) == "Tulips come from Central Asia."
    )


def test_the_gist_of_no_question_is_the_beginning() -> None:
    assert gist(PAGE, "https://example.com", most_chars=70).startswith("Gardens are places of rest. Roses need")


def test_the_gist_has_an_end() -> None:
    assert len(gist("word " * 5000, "", most_chars=100)) <= 203
