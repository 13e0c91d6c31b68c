"""What surrounds one `think`. The embedded brain reads it, because it cannot find it out from a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents_app.base import Agent, Said, Tool
from agents_app.brains.neighbours import Neighbour


@dataclass(frozen=True, slots=True)
class Scene:
    agent: Agent
    message: Said
    history: Sequence[Said]
    tools: Sequence[Tool]
    others: Sequence[Neighbour]
