"""Who may see what is measured."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.access import find_token
from accounts.models import Scope
from chat.access import NotFound
from metrics.models import Alert, AlertRule, Silence

M = TypeVar("M", bound=Model)


class NotAllowed(Exception):
    """Send "Authorization: Bearer <token>" with a token of a staff member, or ask from an address in METRICS_ALLOW."""

    status = 401


class NotStaff(NotAllowed):
    """This token is no staff member's, or not for REST. Operators make one on their settings page."""

    status = 403


def require_scraper(request: HttpRequest) -> None:
    """A staff member's token, this machine, or an address of METRICS_ALLOW. Raises `NotAllowed`."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if text:
        token = find_token(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise NotAllowed(NotAllowed.__doc__)
        if not token.user.is_staff or not token.allows(Scope.API):
            raise NotStaff(NotStaff.__doc__)
    elif not _is_welcome(request):
        raise NotAllowed(NotAllowed.__doc__)


def _is_welcome(request: HttpRequest) -> bool:
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if any(address in network for network in _networks(tuple(settings.METRICS_ALLOW))):
        return True
    # A proxy on this machine that is no TRUSTED_PROXY would bring the whole world in.
    return address.is_loopback and "X-Forwarded-For" not in request.headers and "Forwarded" not in request.headers


@lru_cache(maxsize=8)
def _networks(words: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(word, strict=False) for word in words)


def get_alert(number: int) -> Alert:
    return _get(Alert.objects.select_related("rule", "acknowledged_by"), number, "alert")


def get_rule(number: int) -> AlertRule:
    return _get(AlertRule.objects.all(), number, "rule")


def get_silence(number: int) -> Silence:
    return _get(Silence.objects.active().select_related("rule"), number, "silence that holds now")


def _get(rows: QuerySet[M], number: int, what: str) -> M:
    """Raises `NotFound`. The caller is staff already, and to staff all of them are open."""
    found = rows.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotFound(f"There is no {what} with this number.")
    return found
