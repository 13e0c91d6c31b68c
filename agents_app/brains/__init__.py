"""Brains: what makes a local agent think. `choice.py` says which, `thinking.py` is the loop they all run in.

This file is the only way in from outside, so that what lies behind it is loaded when somebody needs it: pydantic-ai takes
longer than anything else that starts with a process, and most commands end without a thought.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents_app.base import Tool
from agents_app.brains.errors import BrainError

if TYPE_CHECKING:
    from agents_app.brains.thinking import ThinkingTurn
    from agents_app.models import Agent

__all__ = ["BrainError", "brain_label", "describe_default", "load", "think"]


def load() -> None:
    """For processes that run agents, before their first message: it should wait for a brain no longer than the second."""
    import trafilatura  # noqa: F401  (with which the tool `web_page` reads)

    from agents_app.brains import thinking  # noqa: F401


async def think(turn: ThinkingTurn, *, prompt: str = "", tools: Sequence[Tool]) -> str:
    from agents_app.brains import thinking

    return await thinking.think(turn, prompt=prompt, tools=tools)


def brain_label(agent: Agent) -> str:
    from agents_app.brains import labels

    return labels.brain_label(agent)


def describe_default() -> str:
    from agents_app.brains import labels

    return labels.describe_default()
