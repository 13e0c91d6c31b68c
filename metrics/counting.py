"""Counts what the apps to the right tell of, with signals. Each receiver costs microseconds, and none waits."""

from __future__ import annotations

import logging
from typing import Any

from agents_app.a2a.operation_names import OPERATIONS
from agents_app.models import PushAttempt, PushDelivery
from agents_app.runtime.runtime import Runtime
from metrics import registry
from metrics.task_watch import TaskWatch

APPS = frozenset({"tkr_chat", "ops", "metrics", "chat", "agents_app", "accounts", "django"})


def watch_runtime(sender: Any, runtime: Runtime, **kwargs: Any) -> None:
    watch = TaskWatch()
    runtime.journal.subscribe(watch.hear, everywhere=False)
    runtime.live.subscribe(watch.hear_pieces, everywhere=False)


def count_commit(sender: Any, entries: int, seconds: float, **kwargs: Any) -> None:
    registry.COMMITS.observe(seconds)
    registry.BATCHES.observe(entries)


def count_call(sender: Any, binding: str, operation: str, outcome: str, seconds: float, **kwargs: Any) -> None:
    """The caller wrote the operation's name: what is none of A2A's is one and the same for us."""
    known = operation if operation in OPERATIONS else "other"
    registry.child(registry.CALLS, binding, known, outcome).inc()
    registry.child(registry.CALL_SECONDS, known).observe(seconds)


def count_push(sender: Any, attempt: PushAttempt, state: str, **kwargs: Any) -> None:
    given_up = state == PushDelivery.State.DEAD
    registry.child(registry.PUSHES, "sent" if attempt.succeeded else "given_up" if given_up else "failed").inc()


class ErrorCounter(logging.Handler):
    """Counts lines of level ERROR and worse."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        app = record.name.partition(".")[0]
        registry.child(registry.ERRORS, app if app in APPS else "other").inc()
