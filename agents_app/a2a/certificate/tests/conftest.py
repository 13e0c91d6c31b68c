from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.cache import cache

from agents_app.a2a.certificate.examination import examine
from agents_app.a2a.certificate.findings import Finding
from agents_app.a2a.certificate.targets import target_at
from agents_app.a2a.client.tests.elsewhere import Elsewhere, elsewhere


@pytest.fixture(autouse=True)
def this_machine(settings: Any) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    cache.clear()


@pytest.fixture
def server() -> Iterator[Callable[..., Elsewhere]]:
    """Start a server elsewhere with a script for an agent."""
    with ExitStack() as stack:
        yield lambda play, **values: stack.enter_context(elsewhere(play, **values))


class Findings(dict[str, Finding]):
    """By id."""

    def all(self, level: str) -> list[str]:
        return [id for id, finding in self.items() if finding.level == level]


async def examined(url: str, token: str = "") -> Findings:
    return Findings({finding.id: finding for finding in await examine(await target_at(url, token))})
