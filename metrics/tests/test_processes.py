from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from agents_app import runtime
from metrics.actions.processes import forget_dead_processes
from metrics.heartbeat import start_heartbeat
from metrics.models import Process
from metrics.tests.cast import until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_it_works():
    await runtime.start()
    start_heartbeat(runtime.current(), "web")
    process = await until(lambda: Process.objects.alive().first())

    assert (process.kind, process.owner) == ("web", runtime.current().owner)
    assert process.version == settings.VERSION
    assert process.memory_bytes > 1_000_000
    assert process.is_alive


async def test_who_ends_in_order_is_gone():
    await runtime.start()
    start_heartbeat(runtime.current(), "grpc")
    await until(lambda: Process.objects.alive().first())
    await runtime.stop()

    assert not await Process.objects.aexists()


def make_process(**values) -> Process:
    now = timezone.now()
    defaults = {"kind": "web", "host": "here", "pid": 1, "version": "1", "started_at": now, "last_seen_at": now}
    return Process.objects.create(**{"owner": "a", "name": "web@here:1", **defaults, **values})


def test_who_is_silent_is_not_alive():
    make_process(last_seen_at=timezone.now() - timedelta(seconds=30))

    assert not Process.objects.alive().exists()
    assert Process.objects.dead().exists()


def test_the_dead_are_forgotten_after_a_day():
    make_process(last_seen_at=timezone.now() - timedelta(hours=25))
    make_process(owner="b", last_seen_at=timezone.now() - timedelta(hours=23))

    assert forget_dead_processes() == 1
    assert Process.objects.get().owner == "b"
