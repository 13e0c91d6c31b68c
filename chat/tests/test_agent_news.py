"""What the page is told of remote agents that do not answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents_app.actions.agents import register_agents
from agents_app.models import PARKED, Agent, RemoteAgent, RemoteTask
from agents_app.signals import remote_agent_changed
from agents_app.threads import in_thread
from chat.tests.room import Room


async def test_every_tab_hears_that_an_agent_went_down(tab, ada, mallory):
    down = RemoteAgent(agent=Agent(id="rain"), down_since=timezone.now(), check_at=timezone.now())
    tabs = [await tab(ada), await tab(mallory)]
    await in_thread(remote_agent_changed.send, sender=RemoteAgent, remote=down)
    for each in tabs:
        frame = await each.until("agent.changed", id="rain")
        assert (frame["down_since"], frame["on_hold"]) == (down.down_since.isoformat(), False)


@pytest.mark.django_db
def test_a_message_that_waits_has_a_clock(ada):
    room = Room(ada)
    task = room.task("chloe", room.said("@chloe hello", ada), state="submitted", lease_owner=PARKED)
    since = timezone.now() - timedelta(minutes=5)
    RemoteTask.objects.create(task=task, context_id=room.id, waiting_since=since)
    browser = Client()
    browser.force_login(ada)
    page = browser.get(f"/c/{room.id}/").content.decode()
    assert f'<time class="work-clock" data-controller="elapsed" datetime="{since.isoformat()}">' in page


async def test_a_tab_that_comes_back_gets_the_clock_as_well(transactional_db, tab, ada):
    await in_thread(register_agents)
    room = await in_thread(Room, ada)
    request = await in_thread(room.said, "@chloe hello", ada)
    task = await in_thread(room.task, "chloe", request, state="submitted", lease_owner=PARKED)
    since = timezone.now()
    await RemoteTask.objects.acreate(task=task, context_id=room.id, waiting_since=since)
    mine = await tab(ada)
    await mine.send("conversation.open", id=room.id, after=0)
    assert (await mine.until("task.changed"))["waiting_since"] == since.isoformat()
