from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.actions.api_tokens import make_token
from accounts.models import Scope
from metrics import registry
from metrics.actions.samples import save_samples
from metrics.exposition import list_names
from metrics.registry import Figure

pytestmark = pytest.mark.django_db(transaction=True)


def read(response) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Prometheus's own parser: what it cannot read is no answer."""
    found: dict[str, dict] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_it_works(client):
    registry.TASKS.labels("chloe", "completed").inc()
    response = client.get("/metrics")

    assert response.status_code == 200
    tasks = read(response)["tkr_tasks_total"]
    assert any(("agent", "chloe") in labels and value >= 1 for labels, value in tasks.items())


def test_one_process_tells_of_the_others(client):
    save_samples("web@there:7", timezone.now(), [], [Figure("tkr_frames_in_total", "", 41.0)])
    save_samples("", timezone.now(), [], [Figure("tkr_queue_tasks", "", 3.0)])
    found = read(client.get("/metrics"))

    assert found["tkr_frames_in_total"][(("process", "web@there:7"),)] == 41
    assert found["tkr_queue_tasks"][()] == 3


def test_of_a_process_that_is_gone_nothing_is_told(client):
    save_samples("web@there:7", timezone.now() - timedelta(minutes=2), [], [Figure("tkr_frames_in_total", "", 41.0)])

    assert b"web@there:7" not in client.get("/metrics").content


def test_labels_are_written_so_that_they_are_read_again(client):
    odd = 'a "brain"\\ with\na line'
    registry.TOKENS.labels("chloe", odd, "input").inc(7)
    found = read(client.get("/metrics"))["tkr_tokens_total"]

    assert any(("brain", odd) in labels for labels in found)
    assert registry.read_labels(registry.write_labels({"brain": odd})) == {"brain": odd}


@pytest.mark.parametrize("headers", [{"REMOTE_ADDR": "203.0.113.9"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}])
def test_strangers_are_refused_also_behind_a_proxy(client, headers):
    response = client.get("/metrics", **headers)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_an_address_of_the_allow_list_may_read(client, settings):
    settings.METRICS_ALLOW = ["203.0.113.0/24"]

    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.114.9").status_code == 401


def bearer(text: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {text}", "REMOTE_ADDR": "203.0.113.9"}


def test_a_staff_token_may_read(client, grace):
    assert client.get("/metrics", **bearer(make_token(grace, "scraper")[1])).status_code == 200


def test_a_token_of_somebody_else_may_not(client, ada, grace):
    assert client.get("/metrics", **bearer(make_token(ada, "mine")[1])).status_code == 403
    assert client.get("/metrics", **bearer("invented")).status_code == 401
    for_a2a = make_token(grace, "a2a", scopes=[Scope.READ])[1]
    assert client.get("/metrics", **bearer(for_a2a)).status_code == 403


def test_a_wrong_token_is_refused_also_on_this_machine(client):
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer invented").status_code == 401


def test_it_is_only_read(client):
    assert client.post("/metrics").status_code == 405


def test_names_are_as_prometheus_wants_them():
    for name in list_names():
        assert name.startswith("tkr_")
        assert name == name.lower()
