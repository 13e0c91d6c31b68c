"""Rules become alerts, alerts become deliveries. One process at a time evaluates, for all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import note
from accounts.models import User
from metrics.measuring import measure
from metrics.models import Alert, AlertDelivery, AlertRule, Silence

NOT_MEASURED_AFTER = timedelta(minutes=5)
HISTORY_DAYS = 90
FIRING, RESOLVED = "firing", "resolved"


class AlertOver(Exception):
    """This alert is over; there is nothing to acknowledge."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NoWayToTell(Exception):
    """Nobody would be told: set ALERT_EMAILS or ALERT_WEBHOOK_URL."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def evaluate_rules() -> None:
    for rule in AlertRule.objects.all():
        values = measure(rule) if rule.enabled else {}
        with transaction.atomic():
            _evaluate(rule, values)
    _tell()
    Alert.objects.filter(resolved_at__lt=timezone.now() - timedelta(days=HISTORY_DAYS)).delete()


def acknowledge_alert(alert: Alert, user: User, note_text: str = "") -> Alert:
    """Somebody looks after it. Raises `AlertOver`."""
    with transaction.atomic():
        current = Alert.objects.select_for_update(of=("self",)).select_related("rule").get(pk=alert.pk)
        if current.state != Alert.State.FIRING:
            raise AlertOver
        current.acknowledged_at, current.acknowledged_by, current.note = timezone.now(), user, note_text
        current.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
        note("alert.acknowledged", current, actor=user)
    return current


def silence(user: User | None, reason: str, hours: float, rule: AlertRule | None = None, key: str = "") -> Silence:
    begin = timezone.now()
    with transaction.atomic():
        made = Silence.objects.create(
            rule=rule, key=key, reason=reason, made_by=user, begins_at=begin, ends_at=begin + timedelta(hours=hours)
        )
        note("alert.silenced", made, actor=user, reason=reason, hours=hours)
    return made


def end_silence(silence: Silence, user: User | None) -> None:
    with transaction.atomic():
        silence.ends_at = max(timezone.now(), silence.begins_at)
        silence.save(update_fields=["ends_at"])
        note("alert.silence_ended", silence, actor=user)


def change_rule(rule: AlertRule, user: User, **values: Any) -> AlertRule:
    """Raises `ValidationError`."""
    for name, value in values.items():
        setattr(rule, name, value)
    rule.full_clean()
    with transaction.atomic():
        rule.save()
        note("alert_rule.changed", rule, actor=user, **values)
    return rule


def send_test() -> list[AlertDelivery]:
    """Raises `NoWayToTell`."""
    if not (channels := channels_in_use()):
        raise NoWayToTell
    return [AlertDelivery.objects.create(what="test", channel=channel) for channel in channels]


def channels_in_use() -> list[AlertDelivery.Channel]:
    ways = {
        AlertDelivery.Channel.EMAIL: bool(settings.ALERT_EMAILS and settings.EMAIL_HOST),
        AlertDelivery.Channel.WEBHOOK: bool(settings.ALERT_WEBHOOK_URL),
    }
    return [channel for channel, used in ways.items() if used]


def _evaluate(rule: AlertRule, values: dict[str, float]) -> None:
    now = timezone.now()
    open_alerts = {alert.key: alert for alert in rule.alerts.open().select_for_update(of=("self",))}
    for key, value in values.items():
        alert = open_alerts.pop(key, None)
        if rule.is_met(value):
            _go_on(rule, alert or _begin(rule, key, value), value)
        elif alert is not None:
            _end(alert, value)
    for alert in open_alerts.values():  # not measured any more: its agent was removed, or the rule switched off
        if not rule.enabled or alert.seen_at < now - NOT_MEASURED_AFTER:
            _end(alert, alert.value)


def _begin(rule: AlertRule, key: str, value: float) -> Alert:
    now = timezone.now()
    return Alert(rule=rule, key=key, value=value, worst=value, began_at=now, seen_at=now)


def _go_on(rule: AlertRule, alert: Alert, value: float) -> None:
    now = timezone.now()
    worse = max if rule.comparison == AlertRule.Comparison.ABOVE else min
    alert.value, alert.worst, alert.seen_at = value, worse(alert.worst, value), now
    if alert.state == Alert.State.PENDING and now - alert.began_at >= timedelta(seconds=rule.hold_seconds):
        alert.state, alert.fired_at = Alert.State.FIRING, now
    alert.save()


def _end(alert: Alert, value: float) -> None:
    if alert.state == Alert.State.PENDING:
        alert.delete()
        return
    alert.value, alert.state, alert.resolved_at = value, Alert.State.RESOLVED, timezone.now()
    alert.save()
    if alert.told_at:
        _deliver(alert, RESOLVED)


def _tell() -> None:
    """Of what fires and nobody was told of: also what a silence held back until now."""
    silences = list(Silence.objects.active())
    for alert in Alert.objects.firing().filter(told_at=None, acknowledged_at=None).select_related("rule"):
        if not any(each.covers(alert) for each in silences):
            with transaction.atomic():
                if Alert.objects.filter(pk=alert.pk, told_at=None).update(told_at=timezone.now()):
                    _deliver(alert, FIRING)


def _deliver(alert: Alert, what: str) -> None:
    AlertDelivery.objects.bulk_create(
        AlertDelivery(alert=alert, what=what, channel=channel) for channel in channels_in_use()
    )
