"""What a log line looks like, for people and for programs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from accounts import tracing
from accounts.context import bound

_LEFT_OUT = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
NOT_FOR_LOGS = {"request"}  # Django's whole request object; the number of the request comes from the context


class WithContext(logging.Filter):
    """Notes on each record for whom it happened: on the thread and in the task that wrote it, not where it is printed."""

    def filter(self, record: logging.LogRecord) -> bool:
        trace = tracing.trace_id()
        record.context = {**bound(), "trace": trace} if trace else dict(bound())
        return True


class LogLine(logging.Formatter):
    """One record, one line: time, level, `action=` (stable, for searching), where from, the sentence, its values.

    Code writes `logger.info("Finished a task.", extra={"action": "task.finished", "task": task.id})`, and never puts
    what people say into either.
    """

    def __init__(self, fold_tracebacks: bool = True) -> None:
        super().__init__()
        self.fold_tracebacks = fold_tracebacks

    def format(self, record: logging.LogRecord) -> str:
        values = _values(record)
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        if traceback and self.fold_tracebacks:
            values["traceback"] = traceback
        words = (f"{name}={_quoted(value)}" for name, value in values.items())
        line = " ".join([_time(record), record.levelname, *words])
        return line if self.fold_tracebacks or not traceback else f"{line}\n{traceback}"


class JsonLine(logging.Formatter):
    """The same as one JSON object, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        values = {"time": _time(record), "level": record.levelname, **_values(record)}
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False, default=str)


def _values(record: logging.LogRecord) -> dict[str, Any]:
    said = {name: value for name, value in vars(record).items() if name not in _LEFT_OUT}
    context = said.pop("context", {})
    extra = {name: value for name, value in said.items() if name not in NOT_FOR_LOGS}
    action = extra.pop("action", "-")
    return {"action": action, "logger": record.name, "msg": record.getMessage(), **context, **extra}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _quoted(value: object) -> str:
    """As it is when that is one word, else a JSON string: a line break in it must not look like a new record."""
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') and text else json.dumps(text, ensure_ascii=False)
