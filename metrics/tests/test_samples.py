from __future__ import annotations

import pytest

from agents_app import runtime
from metrics import registry
from metrics.heartbeat import start_heartbeat
from metrics.models import Figures, Sample
from metrics.registry import without_label
from metrics.sampler import Sampler
from metrics.tests.cast import until
from metrics.watch import watch_server

pytestmark = pytest.mark.django_db(transaction=True)


async def added_up(name: str, label: str = "") -> float:
    return sum([row.value async for row in Sample.objects.filter(name=name, labels__contains=label)])


async def test_it_works():
    sampler = Sampler("web@here:1")
    await sampler.sample()
    before = await added_up("tkr_frames_in_total")
    registry.TASKS.labels("sampled", "failed").inc(3)
    await sampler.sample()
    await sampler.sample()

    assert await added_up("tkr_tasks_total", 'agent="sampled"') == 3
    assert await added_up("tkr_frames_in_total") == before
    assert await Sample.objects.filter(name="tkr_memory_bytes").acount() == 3
    figures = await Figures.objects.aget(process="web@here:1")
    assert ["tkr_tasks_total", 'agent="sampled",state="failed"', 3.0] in figures.figures


async def test_a_bucket_stands_for_itself():
    sampler = Sampler("web@here:1")
    await sampler.sample()
    await Sample.objects.all().adelete()
    for seconds in (0.2, 0.2, 7):
        registry.TOOL.labels("sampled", "ok").observe(seconds)
    await sampler.sample()
    rows = Sample.objects.filter(name="tkr_tool_seconds_bucket", labels__contains='tool="sampled"')
    found = {row.labels: row.value async for row in rows}

    assert {registry.read_labels(labels)["le"]: value for labels, value in found.items()} == {"0.25": 2, "10.0": 1}
    assert await added_up("tkr_tool_seconds_count", "sampled") == 3
    assert {without_label(labels, "le") for labels in found} == {'outcome="ok",tool="sampled"'}


async def test_the_last_sample_is_saved_at_the_end():
    await runtime.start()
    start_heartbeat(runtime.current(), "web")
    await until(lambda: True)
    registry.TASKS.labels("at the end", "failed").inc()
    await runtime.stop()

    assert await added_up("tkr_tasks_total", 'agent="at the end"') == 1
    assert not await Figures.objects.exclude(process="").aexists()


def test_the_whole_server_is_read():
    watch_server()
    names = set(Sample.objects.filter(process="").values_list("name", flat=True))

    assert {"tkr_queue_tasks", "tkr_workers", "tkr_disk_free_ratio", "tkr_database_bytes"} <= names


def test_what_cannot_be_chosen_from_many_is_one():
    for number in range(100):
        registry.bounded("test", f"value {number}", most=5)

    assert registry.bounded("test", "value 3") == "value 3"
    assert registry.bounded("test", "value 99", most=5) == "other"
