"""What the admin shows of an agent's prompt: the shipped one, every version, and the lines in which they differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from agents_app.actions.prompts import get_shipped_prompt
from agents_app.models import PromptVersion

VERSIONS_A_PAGE = 10
GAP = "⋯"  # lines that are the same were left out


@dataclass(frozen=True, slots=True)
class Line:
    sign: str  # "+", "−", "" or GAP
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    version: PromptVersion
    holds: bool
    since_before: list[Line]
    against_shipped: list[Line]


def lines_between(old: str, new: str) -> list[Line]:
    """Empty when they are the same."""
    return list(_lines(old, new))


def _lines(old: str, new: str) -> Iterator[Line]:
    unified = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="")
    for number, line in enumerate(unified):
        if number < 2:  # the names of two files
            continue
        if line.startswith("@@"):
            if number > 2:
                yield Line(GAP, "")
        else:
            yield Line({"+": "+", "-": "−"}.get(line[0], ""), line[1:])


def prompt_page(agent_id: str, number: Any = 1) -> dict[str, Any]:
    """The template's context. `number` is the page of the history. Raises `NoPrompt`."""
    shipped = get_shipped_prompt(agent_id)
    page = Paginator(PromptVersion.objects.of(agent_id), VERSIONS_A_PAGE).get_page(number)
    newest = PromptVersion.objects.of(agent_id).first()
    override = newest if newest and newest.text else None
    return {
        "shipped": shipped,
        "override": override,
        "shipped_changes": lines_between(override.shipped, shipped) if override else [],
        "page": page,
        "versions": list(_versions(page, shipped, newest)),
    }


def _versions(page: Page[PromptVersion], shipped: str, newest: PromptVersion | None) -> Iterator[Shown]:
    versions = list(page.object_list)
    if not versions:
        return
    before = PromptVersion.objects.of(versions[-1].agent_id).filter(id__lt=versions[-1].pk).first()
    for version, earlier in zip(versions, [*versions[1:], before], strict=True):
        came_from = earlier.meant if earlier else version.shipped
        yield Shown(
            version,
            version == newest,
            lines_between(came_from, version.meant),
            lines_between(shipped, version.meant),
        )
