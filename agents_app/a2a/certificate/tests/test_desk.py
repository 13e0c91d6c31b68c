"""When agents are tested, by whom, and where the outcome is."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from agents_app import runtime
from agents_app.a2a.certificate import desk, shelf
from agents_app.a2a.certificate.findings import CUT_TO, Exchange, Finding, Level, as_json
from agents_app.a2a.certificate.tests.test_examination import slow
from agents_app.a2a.client.tests.conftest import add
from agents_app.models import RemoteAgent
from agents_app.threads import in_thread

__all__ = ["add"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def running(transactional_db: None, monkeypatch: Any) -> Any:
    """A process that tests agents."""
    monkeypatch.setattr(desk, "LOOK_SECONDS", 0.05)
    runtime.current().beside(desk.Desk().run())
    await asyncio.sleep(0)
    yield
    await runtime.stop()


async def certificate(remote: RemoteAgent) -> shelf.Certificate:
    return await in_thread(shelf.load_certificate, remote.agent)


async def when_tested(remote: RemoteAgent) -> shelf.Certificate:
    async with asyncio.timeout(15):
        while (found := await certificate(remote)).at is None or found.progress:
            await asyncio.sleep(0.02)
    return found


async def test_it_works(server, add, running, grace):
    remote = await add(server(slow))
    await in_thread(desk.request_test, remote.agent_id, grace.id)
    assert (await certificate(remote)).progress is not None
    found = await when_tested(remote)
    assert found.counts == {"green": 19, "amber": 2, "red": 0}
    row = await RemoteAgent.objects.aget(pk=remote.pk)
    assert abs(row.certified_at - timezone.now()) < timedelta(seconds=10)


async def test_it_is_tested_again_when_the_day_is_over(server, add, running):
    remote = await add(server(slow))
    long_ago = timezone.now() - timedelta(hours=25)
    await RemoteAgent.objects.filter(pk=remote.pk).aupdate(certified_at=long_ago)
    assert (await when_tested(remote)).counts["red"] == 0


async def test_what_was_never_tested_is_not_tested_by_itself(server, add, running):
    remote = await add(server(slow))
    await asyncio.sleep(0.2)
    assert await in_thread(shelf.find_due) == [] and (await certificate(remote)).at is None


@pytest.mark.parametrize(
    "values", [{"down_since": timezone.now()}, {"pending_card": {}}], ids=["it is down", "it is on hold"]
)
async def test_it_waits_while(server, add, values):
    remote = await add(server(slow))
    long_ago = timezone.now() - timedelta(hours=25)
    await RemoteAgent.objects.filter(pk=remote.pk).aupdate(certified_at=long_ago, **values)
    assert await in_thread(shelf.find_due) == []


async def test_never_by_itself_when_the_operator_says_so(server, add, settings):
    settings.A2A_CERTIFY_HOURS = 0
    remote = await add(server(slow))
    await RemoteAgent.objects.filter(pk=remote.pk).aupdate(certified_at=timezone.now() - timedelta(days=9))
    assert await in_thread(shelf.find_due) == []


async def test_of_many_processes_one_tests(server, add):
    remote = await add(server(slow))

    def claim(_: int) -> bool:
        try:
            return shelf.claim(remote.agent_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        claimed = await asyncio.get_running_loop().run_in_executor(None, lambda: list(pool.map(claim, range(8))))
    assert sum(claimed) == 1


async def test_a_second_request_is_refused(server, add, running, grace):
    remote = await add(server(slow))
    await in_thread(desk.request_test, remote.agent_id, grace.id)
    with pytest.raises(desk.Busy):
        await in_thread(desk.request_test, remote.agent_id, grace.id)
    await when_tested(remote)


async def test_a_test_whose_process_died_is_not_in_the_way_for_ever(server, add):
    remote = await add(server(slow))
    since = (timezone.now() - shelf.LONGEST - timedelta(seconds=1)).isoformat()
    dead = {"running": {"since": since, "done": 3, "of": 21, "title": "x"}}
    await RemoteAgent.objects.filter(pk=remote.pk).aupdate(certificate=dead)
    assert (await certificate(remote)).progress is None
    assert await in_thread(shelf.claim, remote.agent_id)


async def test_what_was_found_before_stays_while_and_when_a_test_is_broken_off(server, add, grace):
    remote = await add(server(slow))
    finding = Finding("card", "Agent card", Level.GREEN, "It is there.")
    await in_thread(shelf.keep, remote.agent_id, [finding])
    runtime.current().beside(desk.Desk().run())
    await asyncio.sleep(0)
    await in_thread(desk.request_test, remote.agent_id, grace.id)
    assert (await certificate(remote)).findings[0]["text"] == "It is there."
    await asyncio.sleep(0.1)
    await runtime.stop()
    found = await certificate(remote)
    assert found.progress is None and found.findings[0]["text"] == "It is there."


async def test_without_a_process_that_runs_agents_there_is_no_test(server, add, grace):
    remote = await add(server(slow))
    with pytest.raises(desk.NobodyHere):
        await in_thread(desk.request_test, remote.agent_id, grace.id)


def test_a_certificate_is_never_too_long_to_be_kept():
    long = Exchange("a" * 3_000, "b" * 9_000)
    kept = as_json([Finding(str(number), "", Level.GREEN, "", long) for number in range(30)])
    assert all(len(finding["exchange"]["response"]) < CUT_TO + 60 for finding in kept)
