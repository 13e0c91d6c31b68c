"""A process that was told to end does end, whatever an agent's own code is caught in."""

from __future__ import annotations

import logging
import os
import sys
import threading

logger = logging.getLogger(__name__)

LAST_SECONDS = 5.0


def end_surely(seconds: float = LAST_SECONDS) -> None:
    """Call it last, when everything is saved and handed over. Python itself would wait without a limit, for coroutines
    that swallow their cancellation and for threads that hang."""
    timer = threading.Timer(seconds, _end)
    timer.daemon = True  # an end that comes in time is not held up by it
    timer.start()


def _end() -> None:
    logger.warning("An agent's code does not end; the process ends without it.", extra={"action": "server.end_forced"})
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    os._exit(0)
