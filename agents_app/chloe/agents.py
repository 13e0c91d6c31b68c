from __future__ import annotations

from agents_app.base import Agent, Skill
from agents_app.chloe.tools import TOOLS
from agents_app.chloe.voice import VOICE


class Chloe(Agent):
    id = "chloe"
    name = "Chloe"
    description = "A warm generalist: she thinks along, reads web pages, calculates, and knows whom to ask."
    colour = "#8a4fb3"
    avatar = "🌷"
    skills = (
        Skill(
            "web_pages",
            "Web pages",
            "Reads a page and tells what it says.",
            ("web", "page", "url", "summary"),
            ("What does https://example.com say?", "Summarise this page for me."),
        ),
        Skill(
            "calculations",
            "Calculations",
            "Works out arithmetic exactly.",
            ("arithmetic", "percent", "calculation"),
            ("What is 19 % of 1,250?",),
        ),
        Skill(
            "time",
            "Time",
            "Knows what time and day it is, here and elsewhere.",
            ("clock", "date"),
            ("What time is it in Tokyo?",),
        ),
        Skill(
            "good_company",
            "Good company",
            "Talks things through and brings in other agents where they know more.",
            ("ideas", "writing", "advice"),
            ("What should I wear in Oslo today?", "Help me to plan my weekend."),
        ),
    )
    tools = TOOLS
    voice = VOICE
