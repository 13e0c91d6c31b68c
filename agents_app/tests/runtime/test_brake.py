"""When the budget of a request is used up, the person decides."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from agents_app import runtime
from agents_app.actions.tasks import (
    NotAChoice,
    NothingToDecide,
    TaskWrites,
    answer_question,
    cancel_task,
    decide,
    open_questions,
)
from agents_app.base import ToolError, tool
from agents_app.models import Message, Step, Task
from agents_app.runtime.brake import BUDGET, Choice, choice_in
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry
from agents_app.runtime.resubmission import NotWaiting
from agents_app.threads import in_thread


class Digging:
    """A tool that counts its calls, and an agent that uses it once and then does not come to an end the first time."""

    def __init__(self) -> None:
        self.calls = 0
        self.runs = 0

        @tool
        async def dig(turn: Any) -> str:
            """Dig."""
            self.calls += 1
            return f"hole {self.calls}"

        self.tool = dig

    async def respond(self, turn: Any) -> None:
        self.runs += 1
        found = await turn.use(self.tool)
        await turn.say(f"Found {found.text}.")
        if self.runs == 1:
            await asyncio.sleep(60)
        await turn.say(" Done.")


async def cards() -> list[Step]:
    return [step async for step in Step.objects.filter(name=BUDGET).select_related("task").order_by("id")]


async def choose(room: Any, task: Task, choice: Choice) -> Task:
    await decide(task, choice)
    return await room.settle(task)


async def reply(room: Any, text: str) -> None:
    [question] = (await in_thread(open_questions, room.id)).values()
    message = Message(context_id=room.id, role=Message.Role.USER, text=text, created_at=timezone.now())
    writes = TaskWrites(new=[message])
    answer_question(writes, question, message)
    writes.facts.insert(0, created_fact(message))
    await room.runtime.journal.append(Entry(room.id, writes.facts, writes.new, writes.changes, writes.tasks))
    room.runtime.queue.put(*writes.put)


async def answers(room: Any) -> list[tuple[str, str]]:
    return [(message.text, message.state) for message in await room.said() if message.role == "agent"]


@pytest.fixture
def brief(settings: Any) -> None:
    settings.AGENTS_TURN_SECONDS = 1.5  # going on must be done in it on a busy machine, too


async def test_it_works(room, agent, brief):
    digging = Digging()
    task = await room.settle(await room.ask(agent(digging.respond), "go"))
    assert (task.state, task.status_text) == (
        "input-required",
        "The time of this request is used up. Reply go on, answer or end.",
    )
    [card] = await cards()
    assert card.task_id == task.id and card.data["limit"] == "seconds" and not card.finished_at
    task = await choose(room, task, Choice.GO_ON)
    assert task.state == "completed" and task.status_text == ""
    assert await answers(room) == [("Found hole 1. Done.", "complete")]
    assert (digging.calls, digging.runs) == (1, 2)
    [card] = await cards()
    assert card.data["choice"] == "go-on" and card.finished_at


async def test_every_time_it_is_used_up_there_is_one_more_card(room, agent, brief):
    async def dream(turn):
        await asyncio.sleep(60)

    task = await room.settle(await room.ask(agent(dream), "go"))
    task = await choose(room, task, Choice.GO_ON)
    assert task.state == "input-required" and task.budget["round"] == 1
    assert [card.data.get("choice") for card in await cards()] == ["go-on", None]


async def test_answer_now_refuses_more_tools_and_ends(room, agent, brief):
    digging, errors = Digging(), []

    async def respond(turn):
        digging.runs += 1
        await turn.use(digging.tool)
        if digging.runs == 1:
            await asyncio.sleep(60)
        with pytest.raises(ToolError) as raised:
            await turn.use(digging.tool)
        errors.append(str(raised.value))
        await turn.say("One hole.")

    task = await room.settle(await room.ask(agent(respond), "go"))
    task = await choose(room, task, Choice.ANSWER)
    assert task.state == "completed" and await answers(room) == [("One hole.", "complete")]
    assert digging.calls == 1 and "used up" in errors[0]


async def test_answer_now_that_takes_too_long_fails_without_another_card(room, agent, brief):
    async def dream(turn):
        await asyncio.sleep(60)

    task = await room.settle(await room.ask(agent(dream), "go"))
    task = await choose(room, task, Choice.ANSWER)
    assert task.state == "failed" and "ran out of time" in (await room.said())[-1].error
    assert len(await cards()) == 1


async def test_end_stops_everything_and_keeps_what_was_said(room, agent, brief):
    digging = Digging()
    task = await room.settle(await room.ask(agent(digging.respond), "go"))
    task = await choose(room, task, Choice.END)
    assert task.state == "canceled" and digging.runs == 1
    assert await answers(room) == [("Found hole 1.", "stopped")]


async def test_the_tokens_may_be_used_up(room, agent):
    async def spend(turn):
        if turn.choice is None:
            turn.spend(turn.tokens_left)
        turn.check_tokens(1)
        await turn.say("There is something left.")

    task = await room.settle(await room.ask(agent(spend), "go"))
    assert [card.data["limit"] for card in await cards()] == ["tokens"]
    assert (await choose(room, task, Choice.GO_ON)).state == "completed"


async def test_the_hops_may_be_used_up_and_the_outermost_asks(room, agent, settings):
    settings.AGENTS_HOPS = 1

    async def first(turn):
        await turn.say((await turn.ask_agent("second", "hello")).text)

    async def second(turn):
        await turn.say((await turn.ask_agent("third", "hello")).text)

    async def third(turn):
        await turn.say("I am the last.")

    agent(second, "second")
    agent(third, "third")
    task = await room.settle(await room.ask(agent(first, "first"), "go"))
    [card] = await cards()
    assert card.task_id == task.id and card.data["limit"] == "hops"
    children = [child.state async for child in Task.objects.exclude(id=task.id)]
    assert children == ["input-required"]
    task = await choose(room, task, Choice.GO_ON)
    assert task.state == "completed" and (await room.said())[1].text == "I am the last."
    assert [child.state async for child in Task.objects.all()] == ["completed"] * 3
    assert len(await cards()) == 1


async def test_a_chain_that_runs_out_together_asks_once_and_goes_on_together(room, agent, brief):
    digging = Digging()

    async def first(turn):
        await turn.say((await turn.ask_agent("second", "dig")).text)

    async def second(turn):
        await turn.say((await turn.ask_agent("third", "dig")).text)

    agent(second, "second")
    agent(digging.respond, "third")
    task = await room.settle(await room.ask(agent(first, "first"), "go"))
    assert [card.task_id for card in await cards()] == [task.id]
    task = await choose(room, task, Choice.GO_ON)
    assert task.state == "completed" and digging.calls == 1
    assert (await room.said())[1].text == "Found hole 1. Done."
    assert len(await cards()) == 1


async def test_answer_now_stops_what_was_delegated_and_takes_what_it_had_said(room, agent, brief):
    digging, heard = Digging(), []

    async def first(turn):
        answer = await turn.ask_agent("second", "dig")
        heard.append((answer.state, answer.text))
        await turn.say("It dug a little.")

    agent(digging.respond, "second")
    task = await room.settle(await room.ask(agent(first, "first"), "go"))
    task = await choose(room, task, Choice.ANSWER)
    assert task.state == "completed"
    [(state, text)] = heard
    assert state == "canceled" and "Found hole 1." in text
    assert {child.state async for child in Task.objects.filter(parent=task)} == {"canceled"}


async def test_end_stops_what_was_delegated(room, agent, brief):
    async def first(turn):
        await turn.ask_agent("second", "dig")

    agent(Digging().respond, "second")
    task = await room.settle(await room.ask(agent(first, "first"), "go"))
    await choose(room, task, Choice.END)
    assert {each.state async for each in Task.objects.all()} == {"canceled"}


async def test_stop_stops_what_waits_for_the_decision(room, agent, brief):
    task = await room.settle(await room.ask(agent(Digging().respond), "go"))
    await cancel_task(task)
    assert (await Task.objects.aget(id=task.id)).state == "canceled"
    with pytest.raises(NothingToDecide):
        await decide(task, Choice.GO_ON)


async def test_the_card_survives_a_restart(room, agent, brief):
    digging = Digging()
    task = await room.settle(await room.ask(agent(digging.respond), "go"))
    runtime.forget()
    room.runtime = runtime.current()
    task = await choose(room, task, Choice.GO_ON)
    assert task.state == "completed" and digging.calls == 1
    assert await answers(room) == [("Found hole 1. Done.", "complete")]


async def test_a_task_that_was_decided_and_then_left_by_a_crash_goes_on(room, agent, brief):
    digging = Digging()
    task = await room.settle(await room.ask(agent(digging.respond), "go"))
    room.runtime.queue.put = lambda *ids: None  # type: ignore[method-assign]
    await decide(task, Choice.GO_ON)
    runtime.forget()
    room.runtime = runtime.current()
    await room.runtime.recovery.adopt_tasks()
    assert (await room.settle(task)).state == "completed"


async def test_a_message_may_say_it_too(room, agent, brief):
    task = await room.settle(await room.ask(agent(Digging().respond), "go"))
    await reply(room, "@tester Go on!")
    assert (await room.settle(task)).state == "completed"


async def test_a_message_that_decides_nothing_is_refused(room, agent, brief):
    await room.settle(await room.ask(agent(Digging().respond), "go"))
    with pytest.raises(NotAChoice):
        await reply(room, "What is the weather?")


async def test_the_second_of_two_decisions_is_refused(room, agent, brief):
    task = await room.settle(await room.ask(agent(Digging().respond), "go"))
    results = await asyncio.gather(decide(task, Choice.GO_ON), decide(task, Choice.END), return_exceptions=True)
    assert [type(each) for each in results if each] in ([NotWaiting], [NothingToDecide])
    winner = [choice for choice, lost in zip(("completed", "canceled"), results, strict=True) if not lost]
    assert [(await room.settle(task)).state] == winner


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("go on", Choice.GO_ON),
        ("Go-on.", Choice.GO_ON),
        ("@chloe answer now!", Choice.ANSWER),
        ("END", Choice.END),
        ("go on and on", None),
        ("", None),
    ],
)
def test_what_a_reply_decides(text, choice):
    assert choice_in(text) == choice


async def test_a_clock_that_jumps_uses_nobodys_time_up(room, agent, monkeypatch):
    """Neither that of a task that is running, nor that of one that it delegates."""
    now = timezone.now

    async def answer(turn):
        await turn.say(f"{turn.seconds_left():.0f} seconds.")

    other = agent(answer, id="other")

    async def delegate(turn):
        monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=1))
        await turn.say((await turn.ask_agent(other, "How long?")).text)

    task = await room.settle(await room.ask(agent(delegate), "go"))
    assert task.state == "completed" and await cards() == []
    [answered] = [message.text for message in await room.said() if message.agent_id == "other"]
    assert 0.9 * settings.AGENTS_TURN_SECONDS < float(answered.split()[0]) <= settings.AGENTS_TURN_SECONDS
