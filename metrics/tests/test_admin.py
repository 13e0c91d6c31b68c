from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from metrics.models import Alert, AlertDelivery, AlertRule, Sample, Silence

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLES = reverse("admin:metrics_sample_changelist")
PAGES = ("sample", "alertrule", "alert", "silence", "alertdelivery")


@pytest.fixture
def rule() -> AlertRule:
    return AlertRule.objects.create(name="Hot", metric="tkr_queue_age_seconds", threshold=10)


@pytest.fixture
def alert(rule) -> Alert:
    now = timezone.now()
    return Alert.objects.create(rule=rule, state="firing", value=11, worst=12, began_at=now, seen_at=now, fired_at=now)


@pytest.fixture
def samples() -> None:
    now = timezone.now() - timedelta(seconds=20)
    for agent, value in (("chloe", 4), ("phil", 2)):
        labels = f'agent="{agent}",state="completed"'
        Sample.objects.create(name="tkr_tasks_total", labels=labels, process="web@a:1", timestamp=now, value=value)


def test_it_works(client, grace, alert, samples):
    client.force_login(grace)
    page = client.get(reverse("admin:index")).content.decode()

    assert "Tasks that ended" in page
    assert "Hot" in page
    assert "<svg" in page


def test_the_changing_part_alone(client, grace, samples):
    client.force_login(grace)
    response = client.get(reverse("admin:metrics_sample_dashboard"), {"range": "1h"})

    assert "Tasks that ended" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_samples_are_browsed(client, grace, samples):
    client.force_login(grace)
    chosen = {"name": "tkr_tasks_total", "by": "agent", "labels": 'agent="chloe"', "range": "1h"}
    page = client.get(SAMPLES, chosen).content.decode()

    assert "agent=&quot;chloe&quot;" in page
    assert "agent=&quot;phil&quot;" not in page


def test_samples_as_csv(client, grace, samples):
    client.force_login(grace)
    response = client.get(reverse("admin:metrics_sample_csv"), {"name": "tkr_tasks_total", "range": "1h"})

    lines = response.content.decode().splitlines()
    assert lines[0] == "timestamp,name,labels,process,span,value"
    assert len(lines) == 3
    assert response["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize(
    "wrong", [{"begin": "yesterday"}, {"begin": "2026-02-01 00:00", "end": "2026-01-01 00:00"}, {"labels": "garbage"}]
)
def test_what_makes_no_sense_is_said(client, grace, samples, wrong):
    client.force_login(grace)
    response = client.get(SAMPLES, {"name": "tkr_tasks_total", **wrong})

    assert response.status_code == 200
    assert not response.context["form"].is_valid()


def test_every_page_opens(client, grace, alert):
    client.force_login(grace)
    for name in PAGES:
        assert client.get(reverse(f"admin:metrics_{name}_changelist")).status_code == 200, name
    assert client.get(reverse("admin:metrics_alert_change", args=[alert.pk])).status_code == 200
    assert client.get(reverse("admin:metrics_alertrule_change", args=[alert.rule_id])).status_code == 200


def test_an_alert_is_acknowledged(client, grace, alert):
    client.force_login(grace)
    client.post(reverse("admin:metrics_alert_changelist"), {"action": "acknowledge", "_selected_action": [alert.pk]})
    alert.refresh_from_db()

    assert alert.acknowledged_by == grace


def test_a_silence_says_who_made_it(client, grace, rule):
    client.force_login(grace)
    values = {"begins_at_0": "2026-01-01", "begins_at_1": "10:00", "ends_at_0": "2026-01-01", "ends_at_1": "12:00"}
    answer = client.post(reverse("admin:metrics_silence_add"), {"rule": rule.pk, "key": "", "reason": "Move", **values})

    assert answer.status_code == 302, answer.context["adminform"].errors
    assert Silence.objects.get().made_by == grace


def test_the_button_sends_a_test(client, grace, settings):
    settings.ALERT_WEBHOOK_URL = "https://hooks.example.com/"
    client.force_login(grace)
    client.post(reverse("admin:metrics_alertdelivery_test"))

    assert AlertDelivery.objects.get().what == "test"


def test_a_test_is_sent_with_post_alone(client, grace):
    client.force_login(grace)

    assert client.get(reverse("admin:metrics_alertdelivery_test")).status_code == 405
    assert client.post(reverse("admin:metrics_sample_dashboard")).status_code == 405


OUTSIDE = (*(f"admin:metrics_{name}_changelist" for name in PAGES), "admin:metrics_sample_dashboard")


@pytest.mark.parametrize("name", [*OUTSIDE, "admin:metrics_sample_csv", "admin:index"])
def test_ordinary_people_stay_outside(client, ada, name):
    client.force_login(ada)

    assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", [*OUTSIDE, "admin:metrics_sample_csv"])
def test_staff_without_the_right_see_nothing_measured(client, db, name):
    helper = User.objects.create_user("helper", password="x", is_staff=True)
    client.force_login(helper)

    assert client.get(reverse(name)).status_code == 403
    assert b"Tasks that ended" not in client.get(reverse("admin:index")).content


def test_what_happened_is_not_edited(client, grace, alert):
    client.force_login(grace)
    for name in ("sample", "alert", "alertdelivery"):
        path = f"/admin/metrics/{name}/add/"
        assert client.get(path).status_code in (403, 404), name
