"""An agent's tools as pydantic-ai calls them. The turn runs each call once, records it and shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_ai import RunContext, ToolDefinition, ToolReturn
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool

from agents_app.base import Tool, ToolError, ToolResult

WRONG_ARGUMENTS = 3  # times a model may correct itself
MOST_KEY_CHARS = 64


class CallsTools(Protocol):
    async def use_keyed(self, tool: Tool, key: str, arguments: dict[str, Any]) -> ToolResult: ...


@dataclass(frozen=True)
class Arguments:
    """Checks arguments against the tool's signature and leaves them JSON values."""

    tool: Tool

    def validate_json(self, input: str | bytes | bytearray, **_: Any) -> dict[str, Any]:
        return self._plain(self.tool.arguments.model_validate_json(input or "{}"))

    def validate_python(self, input: Any, **_: Any) -> dict[str, Any]:
        return self._plain(self.tool.arguments.model_validate(input))

    def _plain(self, arguments: Any) -> dict[str, Any]:
        return arguments.model_dump(mode="json", exclude_unset=True)


class TurnToolset(AbstractToolset[Any]):
    def __init__(self, turn: CallsTools, tools: Sequence[Tool]) -> None:
        self._turn = turn
        self._tools = {tool.name: tool for tool in tools}

    @property
    def id(self) -> str:
        return "turn"

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        return {
            name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=name, parameters_json_schema=tool.parameters, description=tool.description
                ),
                max_retries=WRONG_ARGUMENTS,
                args_validator=Arguments(tool),
            )
            for name, tool in self._tools.items()
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> ToolReturn:
        """`metadata` is for the embedded brain; a provider never sees it."""
        try:
            result = await self._turn.use_keyed(self._tools[name], _key(ctx.tool_call_id or ""), tool_args)
        except ToolError as error:
            return ToolReturn(f"Error: {error}", metadata={"error": str(error)})
        return ToolReturn(result.text, metadata={"facts": dict(result.facts)})


def _key(tool_call_id: str) -> str:
    """Some providers pack more than a name into an id; a key goes into a database column."""
    if len(tool_call_id) <= MOST_KEY_CHARS:
        return tool_call_id
    return hashlib.sha256(tool_call_id.encode()).hexdigest()
