"""Log files that several processes share: a new one each day, old ones compressed, the oldest removed."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

KEPT_DAYS = 14
OWNER_ONLY = 0o600


class DailyFile(logging.Handler):
    """Opened with the first line and not before: `manage.py check` must leave no folder behind, nor load what locks files."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = Path(path)
        self._file: logging.Handler | None = None
        self._closed_to_us = False

    def emit(self, record: logging.LogRecord) -> None:
        """A disk that is full or not ours must not stop the server: it is said once, on the terminal."""
        if self._closed_to_us:
            return
        try:
            self._opened().handle(record)
        except OSError as error:
            self._closed_to_us = True
            print(f"{self._path} cannot be written ({error}); what is logged stands here alone.", file=sys.stderr)  # noqa: T201

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()

    def _opened(self) -> logging.Handler:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            from concurrent_log_handler import ConcurrentTimedRotatingFileHandler  # noqa: PLC0415

            self._file = ConcurrentTimedRotatingFileHandler(
                self._path, when="midnight", utc=True, backupCount=KEPT_DAYS, use_gzip=True, chmod=OWNER_ONLY
            )
            self._file.setFormatter(self.formatter)
        return self._file
