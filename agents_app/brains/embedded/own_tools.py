"""Calls of tools that this file has never heard of: those of an agent that somebody wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from agents_app.base import Tool

BUILT_IN = frozenset({"web_page", "weather", "calculate", "current_time", "ask_agent"})
QUOTED = re.compile(r"[\"“”']([^\"“”']+)[\"“”']")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def find_call(text: str, tools: Sequence[Tool]) -> tuple[str, dict[str, Any]] | None:
    """The first tool whose whole name is said, "roll dice" for `roll_dice`, with arguments found in the text."""
    for tool in tools:
        if tool.name in BUILT_IN or not _is_named(tool.name, text):
            continue
        arguments = _arguments(tool, text)
        try:
            tool.arguments.model_validate(arguments)
        except ValidationError:
            continue
        return tool.name, arguments
    return None


def _is_named(name: str, text: str) -> bool:
    """Each word of the name, perhaps with another ending: "rolls two dice"."""
    words = re.findall(r"[^\W_]+", text.lower())
    return all(any(word.startswith(part.rstrip("s")) for word in words) for part in name.lower().split("_") if part)


def _arguments(tool: Tool, text: str) -> dict[str, Any]:
    quoted, numbers = QUOTED.findall(text), NUMBER.findall(text)
    found: dict[str, Any] = {}
    for name, schema in tool.parameters.get("properties", {}).items():
        value = _take(schema, quoted, numbers)
        if value is None and name in tool.parameters.get("required", ()) and schema.get("type") == "string":
            value = text  # a tool that wants words and is given none in quotes gets them all
        if value is not None:
            found[name] = value
    return found


def _take(schema: Mapping[str, Any], quoted: list[str], numbers: list[str]) -> Any:
    kind = schema.get("type")
    if kind == "string" and quoted:
        return quoted.pop(0)
    if kind in ("integer", "number") and numbers:
        number = float(numbers.pop(0))
        return int(number) if number.is_integer() else number
    return None
