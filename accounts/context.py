"""For whom this piece of work is done, and where it came from: what log lines and the audit log say besides.

A request, a socket's frame and a task each run in a context of their own (`contextvars`), so what is bound in one is
never seen in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default={})  # noqa: B039 - never changed, only replaced

NAMES = frozenset(("request", "address", "person", "conversation", "task", "via"))


def bound() -> Mapping[str, str]:
    return {name: str(value) for name, value in _bound.get().items() if value}


def bind(**values: object) -> None:
    """Until this request, frame or task ends. An empty value forgets."""
    _bound.set(_with(values))


@contextmanager
def binding(**values: object) -> Iterator[None]:
    """As long as the block runs."""
    token = _bound.set(_with(values))
    try:
        yield
    finally:
        _bound.reset(token)


def _with(values: dict[str, object]) -> Mapping[str, object]:
    assert values.keys() <= NAMES, "a new name belongs into NAMES first"
    return {**_bound.get(), **values}  # made text of only where somebody reads it: most calls say nothing
