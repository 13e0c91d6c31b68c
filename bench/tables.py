"""Figures beside their targets, as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else float("nan")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


def medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each figure over its runs."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def verdict(*reached: bool) -> str:
    return "reached" if all(reached) else "MISSED"


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], say: Callable[[str], None] = print) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    body = [line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)]
    say("\n".join(["", f"### {title}", "", *body, ""]))
