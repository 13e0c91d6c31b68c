"""Pages of the admin that show no table of their own. Django's admin lists models, so each is one."""

from __future__ import annotations

from metrics.models import Process


class OpenSocket(Process):
    """Asked of the processes each time."""

    class Meta:
        proxy = True
        verbose_name = "WebSocket"
        verbose_name_plural = "WebSockets"


class LogFile(Process):
    """Read from DATA_DIR/logs."""

    class Meta:
        proxy = True
        verbose_name = "log"
        verbose_name_plural = "logs"
