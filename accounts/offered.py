"""What other apps offer for the forms here. This app knows no agents; who does says so in its `AppConfig.ready`."""

from __future__ import annotations

from collections.abc import Callable

Choices = list[tuple[str, str]]  # value, and the words for it

_agents: Callable[[], Choices] = list


def offer_agents(choices: Callable[[], Choices]) -> None:
    """`choices` is asked whenever a form is shown: the agents a token may be limited to."""
    global _agents
    _agents = choices


def agent_choices() -> Choices:
    return _agents()
