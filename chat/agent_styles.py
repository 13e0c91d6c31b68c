from __future__ import annotations

import re

from agents_app.models import Agent
from chat.colours import DARK_PAPER, LIGHT_PAPER, readable
from chat.mentions import words_for

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
WORD = re.compile(r"[\w-]+")
PLAIN = "#5b6b7f"  # for an agent whose colour an operator left unfinished


def agents_stylesheet() -> str:
    """Custom properties per agent: its colour as it is, and as text in both themes."""
    return "".join(_rule(agent) for agent in Agent.objects.order_by("position", "id"))


def _rule(agent: Agent) -> str:
    colour = agent.colour if COLOUR.fullmatch(agent.colour) else PLAIN
    text = f"light-dark({readable(colour, LIGHT_PAPER)}, {readable(colour, DARK_PAPER)})"
    return f"{_selector(agent)} {{ --agent: {colour}; --agent-text: {text}; --mention-weight: 600; }}\n"


def _selector(agent: Agent) -> str:
    names = [word for word in words_for(agent.id, agent.name) if WORD.fullmatch(word)]
    mentions = [f'.mention[data-agent="{word}"]' for word in names if word != agent.id]
    return ", ".join([f'[data-agent="{agent.id}"]', *mentions])
