from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from metrics.actions import alerts
from metrics.alert_delivery import deliver_alerts
from metrics.default_rules import DEFAULT_RULES
from metrics.exposition import list_names
from metrics.measuring import measure
from metrics.models import Alert, AlertDelivery, AlertRule, Sample, Silence
from metrics.tests.receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_rules(transactional_db):
    AlertRule.objects.all().delete()


@pytest.fixture
def told(settings):
    settings.ALERT_EMAILS = ["ops@example.com"]
    settings.EMAIL_HOST = "mail.example.com"


def make_rule(**values) -> AlertRule:
    defaults = {"name": "Hot", "metric": "tkr_queue_age_seconds", "threshold": 10, "hold_seconds": 0}
    return AlertRule.objects.create(**{**defaults, **values})


def sample(value: float, name: str = "tkr_queue_age_seconds", age: float = 0, **values) -> Sample:
    Sample.objects.filter(name=name, **values).delete()
    at = timezone.now() - timedelta(seconds=age)
    return Sample.objects.create(name=name, value=value, timestamp=at, **values)


def states() -> list[str]:
    return list(Alert.objects.values_list("state", flat=True))


def test_it_works(told):
    make_rule()
    sample(11)
    alerts.evaluate_rules()
    assert states() == ["firing"]
    sample(3)
    alerts.evaluate_rules()

    assert states() == ["resolved"]
    assert [each.what for each in AlertDelivery.objects.order_by("id")] == ["firing", "resolved"]
    assert Alert.objects.get().worst == 11


def test_it_must_last_before_it_fires():
    make_rule(hold_seconds=60)
    sample(11)
    alerts.evaluate_rules()
    assert states() == ["pending"]
    Alert.objects.update(began_at=timezone.now() - timedelta(seconds=61))
    alerts.evaluate_rules()

    assert states() == ["firing"]


def test_what_passes_before_it_fires_is_forgotten(told):
    make_rule(hold_seconds=60)
    sample(11)
    alerts.evaluate_rules()
    sample(3)
    alerts.evaluate_rules()

    assert states() == []
    assert not AlertDelivery.objects.exists()


def test_nothing_measured_says_nothing():
    make_rule(metric="tkr_backup_age_seconds")
    alerts.evaluate_rules()

    assert states() == []


def test_an_alert_of_what_is_not_measured_any_more_ends():
    make_rule()
    sample(11)
    alerts.evaluate_rules()
    Sample.objects.all().delete()
    alerts.evaluate_rules()
    assert states() == ["firing"]
    Alert.objects.update(seen_at=timezone.now() - timedelta(minutes=6))
    alerts.evaluate_rules()

    assert states() == ["resolved"]


def test_each_agent_has_its_own_alert():
    make_rule(metric="tkr_agent_up", comparison="<", threshold=1, by="agent")
    sample(0, "tkr_agent_up", labels='agent="far"')
    sample(0, "tkr_agent_up", labels='agent="farther"')
    sample(1, "tkr_agent_up", labels='agent="near"')
    alerts.evaluate_rules()

    assert set(Alert.objects.values_list("key", flat=True)) == {"far", "farther"}


def test_the_worst_process_counts():
    rule = make_rule(metric="tkr_event_loop_lag_seconds", threshold=0.5)
    sample(0.1, "tkr_event_loop_lag_seconds", process="web@a:1")
    sample(0.9, "tkr_event_loop_lag_seconds", process="web@a:2")
    sample(7.0, "tkr_event_loop_lag_seconds", age=120, process="web@dead:3")

    assert measure(rule) == {"": 0.9}


def test_a_rate_of_failures():
    values = {"labels": 'state="failed"', "per_metric": "tkr_tasks_total", "least": 5, "threshold": 0.2}
    rule = make_rule(metric="tkr_tasks_total", **values)
    sample(1, "tkr_tasks_total", labels='agent="a",state="failed"')
    sample(3, "tkr_tasks_total", labels='agent="a",state="completed"')
    assert measure(rule) == {}, "four tasks are too few to say anything"
    sample(3, "tkr_tasks_total", labels='agent="b",state="failed"')

    assert measure(rule) == {"": pytest.approx(4 / 7)}


def test_silenced_alerts_are_seen_and_not_told_until_the_silence_ends(told, grace):
    rule = make_rule()
    quiet = alerts.silence(grace, "We are moving.", 1, rule)
    sample(11)
    alerts.evaluate_rules()
    assert states() == ["firing"]
    assert not AlertDelivery.objects.exists()
    alerts.end_silence(quiet, grace)
    sample(11)
    alerts.evaluate_rules()

    assert [each.what for each in AlertDelivery.objects.all()] == ["firing"]


def test_a_silence_of_another_rule_silences_nothing(told, grace):
    make_rule()
    alerts.silence(grace, "Other", 1, make_rule(name="Other", metric="tkr_workers"))
    sample(11)
    alerts.evaluate_rules()

    assert AlertDelivery.objects.count() == 1


def test_who_acknowledges_is_remembered_and_nothing_over_is_acknowledged(grace):
    make_rule()
    sample(11)
    alerts.evaluate_rules()
    alert = alerts.acknowledge_alert(Alert.objects.get(), grace, "On it.")
    assert (alert.acknowledged_by, alert.note) == (grace, "On it.")
    sample(1)
    alerts.evaluate_rules()

    with pytest.raises(alerts.AlertOver):
        alerts.acknowledge_alert(Alert.objects.get(), grace)


def test_a_rule_switched_off_ends_its_alerts():
    rule = make_rule()
    sample(11)
    alerts.evaluate_rules()
    AlertRule.objects.filter(pk=rule.pk).update(enabled=False)
    alerts.evaluate_rules()

    assert states() == ["resolved"]


async def test_mail_says_what_happened_and_what_to_do(told):
    await _fire(what_to_do="Open a window.")
    await deliver_alerts()

    assert mail.outbox[0].to == ["ops@example.com"]
    assert "Hot" in mail.outbox[0].subject
    assert "Open a window." in mail.outbox[0].body
    assert (await AlertDelivery.objects.aget()).state == "sent"


async def _fire(**values) -> None:
    from agents_app.threads import in_thread

    def fire() -> None:
        make_rule(**values)
        sample(11)
        alerts.evaluate_rules()

    await in_thread(fire)


async def test_a_webhook_is_signed(settings):
    with receiving() as receiver:
        settings.OUTGOING_ALLOW = ["127.0.0.1"]
        settings.ALERT_WEBHOOK_URL = receiver.address
        settings.ALERT_WEBHOOK_SECRET = "known to both"
        await _fire()
        await deliver_alerts()

    [(headers, body)] = receiver.received
    assert body["what"] == "firing" and body["alert"]["rule"] == "Hot"
    assert headers["X-Signature-256"] == receiver.signature("known to both")


async def test_a_webhook_into_the_local_network_is_refused_unless_it_is_allowed(settings):
    with receiving() as receiver:
        settings.ALERT_WEBHOOK_URL = receiver.address
        await _fire()
        await deliver_alerts()

    assert receiver.received == []
    delivery = await AlertDelivery.objects.aget()
    assert "OUTGOING_ALLOW" in delivery.error
    assert (delivery.state, delivery.tries) == ("waiting", 1)
    assert delivery.due_at > timezone.now()


async def test_what_fails_again_and_again_is_given_up(settings):
    with receiving(status=500) as receiver:
        settings.OUTGOING_ALLOW = ["127.0.0.1"]
        settings.ALERT_WEBHOOK_URL = receiver.address
        await _fire()
        for _ in range(10):
            await AlertDelivery.objects.aupdate(due_at=timezone.now())
            await deliver_alerts()

    delivery = await AlertDelivery.objects.aget()
    assert (delivery.state, delivery.error) == ("given-up", "The webhook answered 500.")
    assert len(receiver.received) == delivery.tries == 8


def test_a_test_needs_somebody_to_tell(settings):
    with pytest.raises(alerts.NoWayToTell):
        alerts.send_test()


def test_a_silence_ends_after_it_begins():
    now = timezone.now()
    with pytest.raises(ValidationError):
        Silence(reason="x", begins_at=now, ends_at=now - timedelta(hours=1)).clean()


def test_the_default_rules_speak_of_what_there_is():
    assert {rule["metric"] for rule in DEFAULT_RULES} <= set(list_names())
    for rule in DEFAULT_RULES:
        AlertRule(**rule).full_clean()
