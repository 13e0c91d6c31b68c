"""How many tasks of one agent run at once, and who goes first."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from agents_app.models import Agent, Task, Via
from agents_app.runtime.limits import full_agents
from agents_app.runtime.recovery import find_orphans
from agents_app.threads import in_thread

from .conftest import Room


@pytest.fixture
async def rooms(room: Room) -> list[Room]:
    """Several conversations: in one, messages wait for each other anyway."""
    others = [Room(room.runtime) for _ in range(5)]
    for other in others:
        await other.open()
    return [room, *others]


class Gauge:
    """Counts who is at work. They work until as many are there as should be, and a little longer for one too many."""

    def __init__(self, expected: int = 1) -> None:
        self.now = self.most = 0
        self.order: list[str] = []
        self.expected = expected
        self.full = asyncio.Event()

    async def work(self, turn) -> None:
        self.order.append(turn.message.text)
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now >= self.expected:
            self.full.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.full.wait(), 10)
        await asyncio.sleep(0.1)
        self.now -= 1


async def settle(rooms: list[Room], tasks: list[Task]) -> list[str]:
    return [(await room.settle(task)).state for room, task in zip(rooms, tasks, strict=True)]


async def test_it_works(rooms, agent):
    gauge = Gauge(2)
    await Agent.objects.filter(id=agent(gauge.work)).aupdate(at_once=2)
    tasks = [await room.ask("tester", str(number)) for number, room in enumerate(rooms)]

    assert await settle(rooms, tasks) == ["completed"] * 6
    assert gauge.most == 2 and sorted(gauge.order) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("everybody", "own", "most"), [(1, None, 1), (1, 0, 6), (1, 3, 3)])
async def test_an_agent_has_the_limit_of_all_unless_it_has_its_own(rooms, agent, settings, everybody, own, most):
    settings.AGENTS_AT_ONCE = everybody
    gauge = Gauge(most)
    await Agent.objects.filter(id=agent(gauge.work)).aupdate(at_once=own)
    tasks = [await room.ask("tester", "go") for room in rooms]

    assert await settle(rooms, tasks) == ["completed"] * 6
    assert gauge.most == most


async def test_agents_that_ask_each_other_do_not_wait_in_a_ring(rooms, agent, settings):
    settings.AGENTS_AT_ONCE = 1
    asking = asyncio.Barrier(2)

    async def ask(turn, other):
        if turn.chain:
            return await turn.say("yes")
        await asking.wait()  # both hold their only place now
        return await turn.say((await turn.ask_agent(other, "may I?")).text)

    agent(lambda turn: ask(turn, "right"), "left")
    agent(lambda turn: ask(turn, "left"), "right")
    tasks = [await rooms[0].ask("left", "go"), await rooms[1].ask("right", "go")]

    async with asyncio.timeout(30):
        assert await settle(rooms[:2], tasks) == ["completed"] * 2
    assert [(await room.said())[-1].text or (await room.said())[1].text for room in rooms[:2]] == ["yes"] * 2


async def test_people_go_first_among_those_that_wait(rooms, agent):
    gauge = Gauge()
    await Agent.objects.filter(id=agent(gauge.work)).aupdate(at_once=1)
    tasks = [await rooms[0].ask("tester", "first")]
    while not gauge.order:
        await asyncio.sleep(0.01)
    for number, room in enumerate(rooms[1:]):
        tasks.append(await room.ask("tester", "person" if number == 4 else "program"))
        await Task.objects.filter(id=tasks[-1].id).aupdate(via=Via.CHAT if number == 4 else Via.A2A)

    assert await settle(rooms, tasks) == ["completed"] * 6
    assert gauge.order.index("person") <= 2, "the one that is just being put may be a program"


async def test_what_waits_for_a_place_is_no_orphan(rooms, agent):
    hang = asyncio.Event()

    async def wait(turn):
        await hang.wait()

    await Agent.objects.filter(id=agent(wait)).aupdate(at_once=1)
    tasks = [await room.ask("tester", "go") for room in rooms[:3]]
    while not await Task.objects.filter(state="working").acount():
        await asyncio.sleep(0.01)
    assert await in_thread(full_agents) == ["tester"]
    assert await in_thread(find_orphans) == []
    hang.set()
    assert await settle(rooms[:3], tasks) == ["completed"] * 3
