"""What a brain needs of a turn, and the log that lets it go on where a dead process stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from agents_app.base import Said, Tool, ToolResult
from agents_app.models import Step
from agents_app.texts import saveable

if TYPE_CHECKING:
    from agents_app.runtime.turn import RunningTurn


class DurableThinking:
    """One `think` of a turn. Implements `brains.thinking.ThinkingTurn`."""

    def __init__(self, turn: RunningTurn, key: str) -> None:
        self._turn = turn
        self._key = key
        self._saved = [step for step in turn.steps.values() if step.key.startswith(f"{key}:")]
        turn.skip([step.key for step in self._saved])
        self.agent = turn.agent
        self.message = turn.message
        self.chain = turn.chain
        self.answers_now = turn.answers_now

    @property
    def cancelled(self) -> bool:
        return self._turn.cancelled

    async def history(self, limit: int = 40) -> list[Said]:
        return await self._turn.history(limit)

    async def say(self, text: str) -> None:
        await self._turn.say(text)

    async def check_tokens(self, tokens: int) -> None:
        self._turn.check_tokens(tokens)

    async def load_log(self) -> list[dict[str, Any]]:
        return [message for step in self._saved for message in step.data["messages"]]

    async def save_log(self, new_messages: list[dict[str, Any]], usage: Mapping[str, Any]) -> None:
        """Append to the log, together with the text that was said so far."""
        turn = self._turn
        self._add_usage(usage)
        now = timezone.now()
        step = Step(
            task=turn.task,
            key=f"{self._key}:{len(self._saved)}",
            kind=Step.Kind.MODEL,
            name=str(usage.get("model", "")),
            message=turn.answer.message,
            offset=turn.answer.length,
            data={"messages": saveable(new_messages), "usage": dict(usage)},
            started_at=now,
            finished_at=now,
        )
        await turn.commit(new=[step], changes=turn.answer.saved_text())
        self._saved.append(step)

    async def use_keyed(self, tool: Tool, key: str, arguments: dict[str, Any]) -> ToolResult:
        return await self._turn.use_keyed(tool, f"call:{self._key}:{key}", arguments)

    def _add_usage(self, usage: Mapping[str, Any]) -> None:
        total = self._turn.answer.usage
        if usage.get("model"):
            total["model"] = usage["model"]
        for name in ("input_tokens", "output_tokens"):
            total[name] = total.get(name, 0) + int(usage.get(name) or 0)
        if usage.get("price") is not None:
            total["price"] = round(total.get("price", 0.0) + float(usage["price"]), 8)
        self._turn.spend(int(usage.get("input_tokens") or 0) + int(usage.get("output_tokens") or 0))
