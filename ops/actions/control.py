"""What an operator does to running processes, and the entry that it leaves in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.actions.audit import note
from accounts.models import User
from metrics.models import Process
from ops.control.giving import Outcome, give
from ops.models import Order


@dataclass(frozen=True)
class OpenSockets:
    """`count` may be more than are listed; `silent`: processes that did not say."""

    count: int
    sockets: list[dict[str, Any]]
    silent: list[str]


def list_sockets() -> OpenSockets:
    """Of every process, those open longest first. Blocks for up to three seconds."""
    outcome = give(Order.Kind.REPORT_SOCKETS, kinds=(Process.Kind.WEB,))
    found = [
        {**one, "process": process} for process, told in outcome.answers.items() for one in told.get("sockets", ())
    ]
    names = {str(id): name for id, name in _names({one["person"] for one in found}).items()}
    for one in found:
        one["name"] = names.get(one["person"], "")
    count = sum(told.get("count", 0) for told in outcome.answers.values())
    return OpenSockets(count, sorted(found, key=lambda one: one["since"]), outcome.silent)


def reset_sockets(socket: str = "", person: str = "") -> Outcome:
    """Close one socket, all of a person, or all. Their pages connect again by themselves and lose nothing."""
    note("sockets.closed", socket=socket, person=person)
    return give(Order.Kind.CLOSE_SOCKETS, kinds=(Process.Kind.WEB,), socket=socket, person=person)


def reset_pool(process: str = "") -> Outcome:
    """Replace the database connections of one process, or of all. Raises `NoSuchProcess`."""
    outcome = give(Order.Kind.RESET_POOL, process)
    note("pool.reset", process)
    return outcome


def drain_process(process: str) -> Outcome:
    """The process hands over and ends. Raises `NoSuchProcess`."""
    outcome = give(Order.Kind.DRAIN, process)
    note("process.drained", process)
    return outcome


def recover_tasks() -> Outcome:
    """Every process looks at once for tasks whose process died."""
    note("tasks.recovered")
    return give(Order.Kind.RECOVER)


def clear_caches() -> Outcome:
    """Of every process; a cache in Redis is one for all of them."""
    note("caches.cleared")
    return give(Order.Kind.CLEAR_CACHE)


def _names(ids: set[str]) -> dict[Any, str]:
    return {user.pk: user.name for user in User.objects.filter(pk__in=ids)}
