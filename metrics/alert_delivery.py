"""Tells people of alerts: by e-mail, and by a webhook whose address is checked like every other that leaves here."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import smtplib
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from agents_app.outgoing import OutgoingError, open_client
from agents_app.threads import in_thread
from metrics.models import Alert, AlertDelivery

logger = logging.getLogger(__name__)

AT_ONCE = 20
MOST_TRIES = 8
FIRST_DELAY_SECONDS = 20
SECONDS = 15
TEST = "This is a test of the alerts of tkr-agent-chat. Nothing is wrong."


class NotDelivered(Exception):
    """Its text says why, for an operator."""


async def deliver_alerts() -> None:
    for delivery in await in_thread(_due):
        await _deliver(delivery)


def _due() -> list[AlertDelivery]:
    waiting = AlertDelivery.objects.filter(state=AlertDelivery.State.WAITING, due_at__lte=timezone.now())
    return list(waiting.select_related("alert__rule").order_by("id")[:AT_ONCE])


async def _deliver(delivery: AlertDelivery) -> None:
    send = _post if delivery.channel == AlertDelivery.Channel.WEBHOOK else _mail
    try:
        await send(message_of(delivery))
        delivery.state, delivery.sent_at, delivery.error = AlertDelivery.State.SENT, timezone.now(), ""
    except NotDelivered as reason:
        delivery.error = str(reason)
        logger.warning("An alert was not delivered: %s", reason, extra={"action": "alert.not_delivered"})
    delivery.tries += 1
    if delivery.error:
        delivery.due_at = timezone.now() + timedelta(seconds=FIRST_DELAY_SECONDS * 2 ** (delivery.tries - 1))
        if delivery.tries >= MOST_TRIES or delivery.what == "test":
            delivery.state = AlertDelivery.State.GIVEN_UP
    await in_thread(delivery.save)


def message_of(delivery: AlertDelivery) -> dict[str, Any]:
    """What a webhook gets. `text` is what chat programs show."""
    alert = delivery.alert
    if alert is None:
        return {"what": "test", "text": TEST, "server": settings.PUBLIC_URL}
    return {
        "what": delivery.what,
        "text": _text(alert, delivery.what),
        "server": settings.PUBLIC_URL,
        "alert": {
            "id": alert.pk,
            "rule": alert.rule.name,
            "key": alert.key,
            "severity": alert.rule.severity,
            "condition": alert.rule.condition,
            "value": alert.value,
            "worst": alert.worst,
            "fired_at": alert.fired_at.isoformat() if alert.fired_at else None,
            "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
            "what_to_do": alert.rule.what_to_do,
        },
    }


def _text(alert: Alert, what: str) -> str:
    if what == "resolved":
        return f"Resolved: {alert} ({alert.value:g})"
    return f"{alert.rule.get_severity_display()}: {alert} ({alert.value:g})"


async def _post(message: dict[str, Any]) -> None:
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if settings.ALERT_WEBHOOK_SECRET:
        digest = hmac.new(settings.ALERT_WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Signature-256"] = f"sha256={digest}"
    try:
        async with asyncio.timeout(SECONDS), open_client(seconds=SECONDS) as client:
            answer = await client.post(settings.ALERT_WEBHOOK_URL, content=body, headers=headers)
    except TimeoutError:
        raise NotDelivered(f"The webhook did not answer within {SECONDS} seconds.") from None
    except (OutgoingError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotDelivered(str(error) or "The webhook's answer cannot be read.") from None
    if not answer.is_success:
        raise NotDelivered(f"The webhook answered {answer.status_code}.")


async def _mail(message: dict[str, Any]) -> None:
    try:
        await asyncio.to_thread(_send_mail, message)
    except (OSError, smtplib.SMTPException) as error:  # a password never stands in these
        raise NotDelivered(f"The mail server refused or did not answer: {error}") from None


def _send_mail(message: dict[str, Any]) -> None:
    alert = message.get("alert", {})
    lines = [message["text"], "", *(f"{name}: {value}" for name, value in alert.items() if value not in ("", None))]
    EmailMessage(
        subject=f"[tkr-agent-chat] {message['text']}",
        body="\n".join([*lines, "", f"{message['server']}/admin/"]),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=settings.ALERT_EMAILS,
    ).send()
