from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

logger = logging.getLogger(__name__)

Colour = Literal["green", "amber", "red"]
SIGNS: dict[str, str] = {"green": "✓", "amber": "!", "red": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Amber: it works, and somebody should look. Red: it does not work, or what must not be lost is in danger."""

    name: str
    colour: Colour
    text: str
    todo: str = ""


Look = Callable[[], Iterator[Finding]]


def green(name: str, text: str) -> Finding:
    return Finding(name, "green", text)


def amber(name: str, text: str, todo: str) -> Finding:
    return Finding(name, "amber", text, todo)


def red(name: str, text: str, todo: str) -> Finding:
    return Finding(name, "red", text, todo)


def examine(looks: Iterable[tuple[str, Look]]) -> list[Finding]:
    found: list[Finding] = []
    for name, look in looks:
        try:
            found += look()
        except Exception as error:  # one that cannot be looked at must not hide the others
            logger.debug("Looking failed.", exc_info=True, extra={"action": "examination.failed"})
            found.append(red(name, f"It cannot be looked at: {error}", "See to what is red above it first."))
    return found


def as_report(found: list[Finding]) -> dict[str, Any]:
    counts = {colour: sum(finding.colour == colour for finding in found) for colour in SIGNS}
    return {"counts": counts, "findings": [asdict(finding) for finding in found]}


def in_lines(report: dict[str, Any]) -> list[str]:
    width = max((len(finding["name"]) for finding in report["findings"]), default=0)
    lines = []
    for finding in report["findings"]:
        lines.append(f"{SIGNS[finding['colour']]} {finding['name']:<{width}}  {finding['text']}")
        if finding["todo"]:
            lines.append(f"  {'':<{width}}  → {finding['todo']}")
    counts = report["counts"]
    return [*lines, "", f"{counts['green']} green, {counts['amber']} amber, {counts['red']} red"]
