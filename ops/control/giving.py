"""Give an order, and wait for what the processes answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from metrics.models import Process
from ops.models import Order, OrderAnswer

ANSWER_SECONDS = 3.0
LOOK_SECONDS = 0.1
KEPT = timedelta(hours=1)


class NoSuchProcess(Exception):
    """The text names what was asked for."""


@dataclass(frozen=True)
class Outcome:
    """`answers`: what each process said, by its name; `silent`: those that are alive and said nothing in time."""

    answers: dict[str, Any] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


def give(kind: Order.Kind, to: str = "", *, kinds: tuple[str, ...] = (), **details: Any) -> Outcome:
    """Blocks for up to three seconds. `to`: the name of one process, `kinds`: only such are asked.

    Raises `NoSuchProcess`.
    """
    alive = Process.objects.alive()
    if to:
        alive = alive.filter(name=to)
        if not alive:
            raise NoSuchProcess(f"There is no process {to!r}. Those that are alive: {_names() or 'none'}.")
    if kinds:
        alive = alive.filter(kind__in=kinds)
    awaited = dict(alive.values_list("owner", "name"))
    owner = next(iter(awaited)) if to and awaited else ""
    Order.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return _wait(Order.objects.create(kind=kind, to=owner, details=details), awaited)


def _wait(order: Order, awaited: dict[str, str]) -> Outcome:
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        said = dict(OrderAnswer.objects.filter(order=order).values_list("process", "data"))
        if awaited.keys() <= said.keys() or time.monotonic() > deadline:
            answers = {name: said[owner] for owner, name in awaited.items() if owner in said}
            return Outcome(answers, sorted(name for owner, name in awaited.items() if owner not in said))
        time.sleep(LOOK_SECONDS)


def _names() -> str:
    return ", ".join(Process.objects.alive().values_list("name", flat=True))
