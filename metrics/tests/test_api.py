from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.actions.api_tokens import make_token
from accounts.models import AuditEntry
from metrics.models import Alert, AlertRule, Sample, Silence

pytestmark = pytest.mark.django_db(transaction=True)

BASE = "/api/v1/admin"
READS = ("/metrics", "/metrics/tkr_tasks_total", "/alerts", "/alert-rules", "/silences")
WRITES = (
    ("post", "/alerts/1/acknowledge", {}),
    ("post", "/alerts/test", None),
    ("patch", "/alert-rules/1", {"enabled": False}),
    ("post", "/silences", {"reason": "x", "hours": 1}),
    ("delete", "/silences/1", None),
)


class Program:
    def __init__(self, client, user) -> None:
        self._client = client
        self._headers = {"HTTP_AUTHORIZATION": f"Bearer {make_token(user, 'program')[1]}"}

    def get(self, path: str, **query):
        return self._client.get(BASE + path, query, **self._headers)

    def send(self, method: str, path: str, body=None):
        call = getattr(self._client, method)
        return call(BASE + path, body, content_type="application/json", **self._headers)


@pytest.fixture
def program(client, grace) -> Program:
    return Program(client, grace)


@pytest.fixture
def firing() -> Alert:
    now = timezone.now()
    rule = AlertRule.objects.get(name="Tasks wait too long")
    values = {"began_at": now, "seen_at": now, "fired_at": now}
    return Alert.objects.create(rule=rule, state="firing", value=300, worst=400, **values)


@pytest.fixture(autouse=True)
def default_rules(transactional_db):
    """A test that empties the database takes the migration's rows away."""
    from metrics.default_rules import DEFAULT_RULES

    for rule in DEFAULT_RULES:
        AlertRule.objects.get_or_create(name=rule["name"], defaults=rule)


def test_it_works(program):
    names = {each["name"] for each in program.get("/metrics").json()}
    assert {"tkr_tasks_total", "tkr_queue_tasks", "tkr_answer_seconds"} <= names
    now = timezone.now()
    for agent, value in (("chloe", 2), ("phil", 5)):
        Sample.objects.create(name="tkr_tasks_total", labels=f'agent="{agent}"', timestamp=now, value=value)
    [series] = program.get("/metrics/tkr_tasks_total", labels='agent="phil"').json()

    assert [point["value"] for point in series["points"]] == [5]


def test_a_firing_alert_is_listed_and_acknowledged(program, firing):
    [listed] = program.get("/alerts").json()
    assert (listed["rule"], listed["state"], listed["worst"]) == ("Tasks wait too long", "firing", 400)
    answer = program.send("post", f"/alerts/{firing.pk}/acknowledge", {"note": "On it."})

    assert answer.json()["acknowledged_by"] == "grace"
    assert AuditEntry.objects.filter(action="alert.acknowledged").exists()


def test_what_is_over_cannot_be_acknowledged(program, firing):
    Alert.objects.update(state="resolved")

    assert program.send("post", f"/alerts/{firing.pk}/acknowledge", {}).status_code == 409
    assert program.get("/alerts").json() == []
    assert len(program.get("/alerts", state="resolved").json()) == 1


def test_a_rule_is_changed(program):
    rule = AlertRule.objects.get(name="Disk almost full")
    answer = program.send("patch", f"/alert-rules/{rule.pk}", {"threshold": 0.05})

    assert answer.json()["threshold"] == 0.05
    rule.refresh_from_db()
    assert (rule.threshold, rule.enabled) == (0.05, True)


def test_a_silence_is_made_and_ended(program):
    made = program.send("post", "/silences", {"reason": "We are moving.", "hours": 2})
    assert made.status_code == 201
    assert [each["id"] for each in program.get("/silences").json()] == [made.json()["id"]]
    assert program.send("delete", f"/silences/{made.json()['id']}").status_code == 204

    assert program.get("/silences").json() == []
    assert Silence.objects.exists(), "it is history, and kept"


def test_a_test_without_anybody_to_tell_says_what_to_set(program):
    answer = program.send("post", "/alerts/test")

    assert answer.status_code == 409
    assert "ALERT_EMAILS" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", READS)
def test_people_who_are_not_staff_read_nothing(client, ada, path):
    assert Program(client, ada).get(path).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_people_who_are_not_staff_change_nothing(client, ada, method, path, body):
    assert Program(client, ada).send(method, path, body).status_code == 403


@pytest.mark.parametrize("path", READS)
def test_without_a_token_there_is_nothing_also_for_a_signed_in_operator(client, grace, path):
    client.force_login(grace)

    assert client.get(BASE + path).status_code == 401
    assert client.get(BASE + path, HTTP_AUTHORIZATION="Bearer invented").status_code == 401


@pytest.mark.parametrize("path", READS)
def test_a_wrong_method_is_said(program, path):
    answer = program.send("put", path, {})

    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_what_is_not_there_is_not_found(program, method, path, body):
    if "1" in path:
        assert program.send(method, path.replace("1", str(2**63 + 1)), body).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/silences", {"reason": "", "hours": 1}),
        ("/silences", {"reason": "x", "hours": 0}),
        ("/silences", {"reason": "x", "hours": "long"}),
        ("/alerts/1/acknowledge", {"note": "x" * 3000}),
    ],
)
def test_garbage_is_refused(program, path, body):
    assert program.send("post", path, body).status_code == 422
