"""A turn in memory: what `think` and tools need of one, without tasks, journal or database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from agents_app.base import Agent, Answer, Said, Tool, ToolError, ToolResult


def said(text: str, author: str = "Ada", *, author_id: str = "", **values: Any) -> Said:
    """A message of a person, or of the agent whose id is given."""
    values = {"parts": (), "metadata": {}, "created_at": datetime(2026, 3, 1, tzinfo=UTC), "id": uuid4()} | values
    role = "agent" if author_id else "user"
    return Said(role=role, author=author, author_id=author_id or str(uuid4()), text=text, **values)


class FakeTurn:
    """Remembers what was said, saved and called. `again()` is the same task, run once more after a crash."""

    def __init__(self, agent: Agent, message: Said | str, history: Sequence[Said] = ()) -> None:
        self.agent = agent
        self.message = said(message) if isinstance(message, str) else message
        self.earlier = list(history)
        self.chain: tuple[str, ...] = ()
        self.pieces: list[str] = []
        self.spoken = asyncio.Event()
        self.log: list[dict[str, Any]] = []
        self.usages: list[Any] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.results: dict[str, ToolResult | ToolError] = {}
        self.answers: dict[str, str] = {}  # of other agents, by id
        self.asked: list[tuple[str, str]] = []
        self.tokens_left = 200_000
        self.answers_now = False  # a person wants an answer without more tools
        self._safe = 0  # pieces that a crash does not take back

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    async def history(self, limit: int = 40) -> list[Said]:
        return self.earlier[-limit:]

    async def say(self, text: str) -> None:
        await asyncio.sleep(0)
        self.pieces.append(text)
        self.spoken.set()

    async def load_log(self) -> list[dict[str, Any]]:
        return list(self.log)

    async def save_log(self, new_messages: list[dict[str, Any]], usage: Any) -> None:
        self.log += json.loads(json.dumps(new_messages))
        self.usages.append(usage)
        self._safe = len(self.pieces)

    async def use_keyed(self, tool: Tool, key: str, arguments: dict[str, Any]) -> ToolResult:
        if key not in self.results:
            self.calls.append((tool.name, arguments))
            try:
                self.results[key] = await tool(self, **arguments)
            except ToolError as error:
                self.results[key] = error
        result = self.results[key]
        if isinstance(result, ToolError):
            raise result
        return result

    async def use(self, tool: Tool, **arguments: Any) -> ToolResult:
        return await self.use_keyed(tool, f"tool:{len(self.calls)}", arguments)

    async def ask(self, question: str) -> Said:
        self.asked.append(("", question))
        return said("Yes.")

    async def ask_agent(self, agent_id: str, text: str) -> Answer:
        self.asked.append((agent_id, text))
        if agent_id not in self.answers:
            return Answer(agent_id, "rejected", f"{agent_id} is not here.")
        return Answer(agent_id, "completed", self.answers[agent_id])

    async def check_tokens(self, tokens: int) -> None:
        if tokens > self.tokens_left:
            raise RuntimeError("no tokens left")

    def again(self) -> FakeTurn:
        del self.pieces[self._safe :]
        return self
