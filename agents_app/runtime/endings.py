"""How a run of a turn ends, other than by returning."""

from __future__ import annotations

from typing import Any

from agents_app import base
from agents_app.models import TaskState
from agents_app.runtime.brake import Limit
from agents_app.runtime.journal import Refused


class LeaseLost(Refused):
    """Another process has this task now, or it is over."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Ended(base.TurnEnded):
    """The turn is over, or waits (`input-required`). `reason` is fit to show."""

    def __init__(self, state: TaskState, reason: str = "", *, extra: dict[str, Any] | None = None) -> None:
        super().__init__(state, reason)
        self.state = state
        self.reason = reason
        self.extra = extra  # fields of the message that ends it


class Spent(Ended):
    """The budget is used up: a person decides how it goes on, or it ends like this when it ended before."""

    def __init__(self, limit: Limit, reason: str) -> None:
        super().__init__(TaskState.FAILED, reason)
        self.limit = limit
