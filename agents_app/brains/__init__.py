"""Brains: what makes a local agent think. `choice.py` says which, `thinking.py` is the loop they all run in."""

from __future__ import annotations

from agents_app.brains.choice import choose_brain, default_brain
from agents_app.brains.errors import BrainError

__all__ = ["BrainError", "describe_default", "label_for"]


def describe_default() -> str:
    """One line about the brain that answers when nobody chose another, for the start banner."""
    try:
        return default_brain().label
    except BrainError as error:
        return str(error)


async def label_for(agent_id: str) -> str:
    """Which brain answers for an agent, as the page shows it."""
    try:
        return (await choose_brain(agent_id)).label
    except BrainError as error:
        return str(error)
