from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter


class LocalExceptionReporter(ExceptionReporter):
    """Django's page with traceback and settings, for a browser on this machine only. Others get our plain page."""

    def get_traceback_html(self) -> SafeString:
        return super().get_traceback_html() if _is_local(self.request) else render_to_string("500.html")

    def get_traceback_text(self) -> SafeString:
        return super().get_traceback_text() if _is_local(self.request) else mark_safe("Something went wrong.")


def _is_local(request: Any) -> bool:
    """A request that a proxy passed on comes from this machine too, but its sender does not."""
    if request is None or "HTTP_X_FORWARDED_FOR" in request.META:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
