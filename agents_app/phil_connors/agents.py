from __future__ import annotations

from agents_app.base import Agent, Skill
from agents_app.phil_connors.tools import TOOLS
from agents_app.phil_connors.voice import VOICE


class PhilConnors(Agent):
    id = "phil"
    name = "Phil Connors"
    description = "The television weatherman, stuck in Punxsutawney: real forecasts, served with little patience."
    colour = "#2f6f9f"
    avatar = "🌦️"
    skills = (
        Skill(
            "weather",
            "Weather",
            "Real weather and forecasts for any place, up to a week ahead.",
            ("weather", "forecast", "temperature", "rain", "umbrella"),
            ("What is the weather in Oslo today?", "Will it rain in Paris tomorrow?"),
        ),
        Skill(
            "groundhog_day",
            "Groundhog Day",
            "Knows more about the second of February than anybody should.",
            ("groundhog", "punxsutawney"),
            ("How long is it until Groundhog Day?",),
        ),
        Skill(
            "time",
            "Time",
            "Knows what time it is elsewhere. Here it is always six in the morning.",
            ("clock", "date"),
            ("What time is it in Tokyo?",),
        ),
    )
    tools = TOOLS
    voice = VOICE
