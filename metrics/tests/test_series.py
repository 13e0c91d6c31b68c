from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from metrics import charts, usage
from metrics.dashboard import read_dashboard
from metrics.models import Sample
from metrics.series import added_up, find_range, levels, quantile

pytestmark = pytest.mark.django_db(transaction=True)


def sample(name: str, value: float, labels: str = "", minutes_ago: float = 1, process: str = "web@a:1") -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Sample.objects.create(name=name, value=value, labels=labels, process=process, timestamp=at)


def test_it_works():
    sample("tkr_tasks_total", 2, 'agent="chloe",state="completed"')
    sample("tkr_tasks_total", 3, 'agent="chloe",state="failed"', process="web@b:2")
    sample("tkr_tasks_total", 7, 'agent="phil",state="completed"', minutes_ago=30)
    sample("tkr_tasks_total", 90, 'agent="old",state="completed"', minutes_ago=90)
    by_agent = {each.name: each.total for each in added_up("tkr_tasks_total", find_range("1h"), "agent")}

    assert by_agent == {"phil": 7, "chloe": 5}
    assert added_up("tkr_tasks_total", find_range("1h"), wanted='state="failed"')[0].total == 3


def test_the_slot_is_that_of_the_time():
    sample("tkr_tasks_total", 1, minutes_ago=30)
    of = find_range("1h")
    [series] = added_up("tkr_tasks_total", of)
    [slot] = [number for number, value in enumerate(series.values) if value]

    assert abs((of.time_of(slot) - timezone.now()).total_seconds() + 1800) < 90


def test_levels_of_processes_are_added_or_the_worst_is_taken():
    sample("tkr_memory_bytes", 100, process="web@a:1")
    sample("tkr_memory_bytes", 50, process="web@b:2")
    of = find_range("1h")

    assert levels("tkr_memory_bytes", of)[0].last == 150
    assert levels("tkr_memory_bytes", of, max)[0].last == 100


def test_quantiles_are_read_from_buckets():
    for le, count in (("0.5", 50), ("1.0", 40), ("2.5", 10)):
        sample("tkr_answer_seconds_bucket", count, f'agent="chloe",le="{le}"')
    of = find_range("1h")

    assert quantile("tkr_answer_seconds", of, 0.5)[1] == pytest.approx(0.5)
    assert quantile("tkr_answer_seconds", of, 0.95)[1] == pytest.approx(1.75)
    assert quantile("tkr_answer_seconds", of, 0.5, "agent", "phil")[1] is None


def test_charts_escape_what_they_show():
    sample("tkr_tasks_total", 1, 'agent="<script>alert(1)</script>"')
    series = added_up("tkr_tasks_total", find_range("1h"), "agent")
    svg = charts.bars(series, find_range("1h"))

    assert "&lt;script&gt;" in svg
    assert "<script" not in svg


@pytest.mark.parametrize("key", ["1h", "24h", "7d", "30d", "nonsense"])
def test_the_dashboard_of_an_empty_server(key):
    shown = read_dashboard(key)

    assert all(chart.empty for chart in shown["charts"])


def test_usage_by_person(ada):
    from agents_app.ids import uuid7
    from agents_app.models import Agent, Message, Task

    now = timezone.now()
    agent = Agent.objects.create(id="tester", name="Tester")
    fixed = {"context_id": uuid7(), "created_at": now}
    request = Message.objects.create(seq=1, role="user", user=ada, text="Hello", **fixed)
    task = Task.objects.create(agent=agent, owner=ada, request=request, updated_at=now, **fixed)
    used = {"model": "sage", "input_tokens": 10, "output_tokens": 5, "price": 0.5}
    Message.objects.create(seq=2, role="agent", task=task, agent=agent, usage=used, **fixed)
    Message.objects.create(seq=3, role="agent", task=task, agent=agent, **fixed)

    assert usage._people(find_range("1h")) == [("ada", 1, 15, 0.5)]
