"""What somebody said, and what may follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents_app.base import Tool
from agents_app.brains.neighbours import Neighbour

ASK_AGENT = "ask_agent"


@dataclass(frozen=True, slots=True)
class Call:
    """Use a tool. `topic` is what the answer is about where the tool alone does not say: "clothes"."""

    tool: str
    arguments: Mapping[str, Any]
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """Answer from a template of the agent's voice."""

    topic: str
    facts: Mapping[str, str] = field(default_factory=dict)


Intent = Call | Talk


@dataclass(frozen=True)
class Heard:
    """`earlier`: what people said before, newest first."""

    text: str
    names: tuple[str, ...]  # the agent's own id and name
    tools: Sequence[Tool] = ()
    others: Sequence[Neighbour] = ()
    earlier: Sequence[str] = ()

    def has(self, tool: str) -> bool:
        return any(own.name == tool for own in self.tools)

    def who_knows(self, tag: str) -> Neighbour | None:
        """Another agent with a skill of that tag, where one can be asked."""
        if not self.has(ASK_AGENT):
            return None
        return next((other for other in self.others if any(tag in skill.tags for skill in other.skills)), None)


def ask(other: Neighbour, question: str, topic: str = "") -> Call:
    return Call(ASK_AGENT, {"agent": other.id, "message": question}, topic)
