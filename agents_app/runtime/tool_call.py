"""One tool called once in a task's life, however often the task runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import tracing
from agents_app.base import Tool, ToolError, ToolResult
from agents_app.models import Step, TaskState
from agents_app.runtime.brake import USED_UP
from agents_app.runtime.delegation import Delegation
from agents_app.texts import saveable

if TYPE_CHECKING:
    from agents_app.runtime.turn import RunningTurn

logger = logging.getLogger(__name__)


class ToolCall:
    """The step keeps what was found, so a later run finds the same without calling again."""

    def __init__(self, turn: RunningTurn, tool: Tool, key: str, arguments: dict[str, Any]) -> None:
        self._turn = turn
        self._tool = tool
        self._key = key
        self._arguments = arguments

    async def run(self) -> ToolResult:
        """Raises `ToolError`."""
        if self._tool.name == "ask_agent":
            return await self._delegate()
        step = self._turn.recall(self._key)
        if self._turn.answers_now and (step is None or not step.finished_at):
            await self._leave_undone(step)
            raise ToolError(USED_UP)
        if step is None:
            step = await self._begin()
        if not step.finished_at:
            await self._call(step)
        if step.error:
            raise ToolError(step.error)
        return ToolResult(step.data["text"], step.data["facts"])

    async def _begin(self) -> Step:
        data = {"arguments": saveable(self._arguments), "text": "", "facts": {}}
        step = Step(
            task=self._turn.task,
            key=self._key,
            kind=Step.Kind.TOOL,
            name=self._tool.name,
            data=data,
            started_at=timezone.now(),
        )
        await self._turn.begin_step(step)
        return step

    async def _call(self, step: Step) -> None:
        tool = self._tool
        try:
            async with asyncio.timeout(tool.seconds):
                with tracing.span("tool.call", tool=tool.name, step=step.id):
                    result = await tool(self._turn, **self._arguments)
            step.data |= saveable({"text": result.text, "facts": dict(result.facts)})
        except ToolError as error:
            step.error = saveable(str(error))
        except TimeoutError:
            step.error = f"{tool.name} took longer than {tool.seconds:g} seconds."
        except Exception:  # a tool's own code may raise anything; the agent goes on without it
            logger.exception("Tool %s failed.", tool.name, extra={"action": "tool.failed"})
            step.error = f"{tool.name} failed in a way nobody foresaw. The server's log has the details."
        await self._turn.finish_step(step)

    async def _leave_undone(self, step: Step | None) -> None:
        if step is not None:
            step.error = USED_UP
            await self._turn.finish_step(step)

    async def _delegate(self) -> ToolResult:
        answer = await Delegation(self._turn, self._key, self._arguments["agent"], self._arguments["message"]).run()
        if answer.state != TaskState.COMPLETED:
            raise ToolError(answer.text)
        return ToolResult(answer.text, {"agent": answer.agent_id, "state": answer.state, "text": answer.text})
