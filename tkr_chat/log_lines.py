from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_LEFT_OUT = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}


class LogLine(logging.Formatter):
    """One record, one line: time, level, `action=` (stable, for searching), where from, the sentence, its values.

    Code writes `logger.info("Finished a task.", extra={"action": "task.finished", "task": task.id})`, and never puts
    what people say into either.
    """

    def __init__(self, fold_tracebacks: bool = True) -> None:
        super().__init__()
        self.fold_tracebacks = fold_tracebacks

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        extra = {name: value for name, value in vars(record).items() if name not in _LEFT_OUT}
        values = {"action": extra.pop("action", "-"), "logger": record.name, "msg": record.getMessage(), **extra}
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        if traceback and self.fold_tracebacks:
            values["traceback"] = traceback
        line = " ".join([time, record.levelname, *(f"{name}={_quoted(value)}" for name, value in values.items())])
        return line if self.fold_tracebacks or not traceback else f"{line}\n{traceback}"


def _quoted(value: object) -> str:
    """As it is when that is one word, else a JSON string: a line break in it must not look like a new record."""
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') and text else json.dumps(text, ensure_ascii=False)
