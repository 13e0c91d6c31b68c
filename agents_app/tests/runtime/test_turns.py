"""What an agent's turn does, as the conversation sees it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from django.utils import timezone

from agents_app.actions.attachments import save_parts
from agents_app.actions.tasks import TaskOver, TaskWrites, answer_question, cancel_task, open_questions
from agents_app.base import Part, ToolError, ToolResult, tool
from agents_app.models import Artifact, Attachment, Event, Message, Step, Task
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry
from agents_app.threads import in_thread


async def test_it_works(room, agent):
    async def greet(turn):
        await turn.say("Hello, ")
        await turn.say(f"you said: {turn.message.text}")

    task = await room.settle(await room.ask(agent(greet), "hi"))
    _request, answer = await room.said()
    assert task.state == "completed"
    assert (answer.text, answer.state, answer.role) == ("Hello, you said: hi", "complete", "agent")


async def test_the_events_of_a_task_are_numbered_without_a_gap(room, agent):
    async def greet(turn):
        await turn.report("thinking")
        await turn.say("hi")

    task = await room.settle(await room.ask(agent(greet), "hi"))
    events = [event async for event in Event.objects.filter(task=task).order_by("version")]
    assert [event.version for event in events] == list(range(1, task.version + 1))
    states = [event.data["state"] for event in events if event.type == "task.status"]
    assert states == ["submitted", "working", "working", "completed"]


@pytest.mark.parametrize(
    ("end", "state", "message_state"), [("fail", "failed", "failed"), ("reject", "rejected", "failed")]
)
async def test_an_agent_may_give_up_in_words(room, agent, end, state, message_state):
    async def give_up(turn):
        await getattr(turn, end)("I cannot do that.")

    task = await room.settle(await room.ask(agent(give_up), "hi"))
    answer = (await room.said())[-1]
    assert (task.state, answer.state, answer.error) == (state, message_state, "I cannot do that.")


async def test_a_mistake_in_an_agent_ends_the_task_without_telling_its_secrets(room, agent):
    async def stumble(turn):
        await turn.say("Well, ")
        raise RuntimeError("password=hunter2")

    task = await room.settle(await room.ask(agent(stumble), "hi"))
    answer = (await room.said())[-1]
    assert task.state == "failed"
    assert answer.text == "Well, "
    assert "hunter2" not in answer.error and "log" in answer.error


async def test_a_tool_call_is_kept_with_arguments_result_and_place(room, agent):
    @tool
    async def double(turn, number: int) -> ToolResult:
        """Double a number."""
        return ToolResult(f"It is {number * 2}.", {"doubled": number * 2})

    async def count(turn):
        await turn.say("Let me see. ")
        found = await turn.use(double, number=21)
        await turn.say(found.text)

    await room.settle(await room.ask(agent(count), "double 21"))
    step = await Step.objects.aget()
    assert (step.name, step.data["arguments"], step.data["text"]) == ("double", {"number": 21}, "It is 42.")
    assert step.offset == len("Let me see. ") and step.milliseconds is not None
    assert (await room.said())[-1].text == "Let me see. It is 42."


async def test_a_tool_that_fails_or_hangs_becomes_an_error_to_read(room, agent):
    errors = []

    @tool
    async def refuse(turn) -> str:
        """Refuse."""
        raise ToolError("The shop is closed.")

    @tool(seconds=0.05)
    async def hang(turn) -> str:
        """Hang."""
        await asyncio.sleep(60)
        return ""

    @tool
    async def crash(turn) -> str:
        """Crash."""
        raise KeyError("secret")

    async def try_all(turn):
        for each in (refuse, hang, crash):
            with pytest.raises(ToolError) as raised:
                await turn.use(each)
            errors.append(str(raised.value))

    task = await room.settle(await room.ask(agent(try_all), "go"))
    assert task.state == "completed"
    assert errors[0] == "The shop is closed."
    assert "took longer than 0.05 seconds" in errors[1]
    assert "secret" not in errors[2]


async def test_artifacts_grow_by_parts_and_keep_bytes_as_files(room, agent):
    async def produce(turn):
        report = await turn.add_artifact(Part(text="first"), name="report", last=False)
        await report.append(Part(raw=b"\x00\x01", media_type="application/x-test", filename="a.bin"), last=True)

    await room.settle(await room.ask(agent(produce), "go"))
    artifact = await Artifact.objects.aget()
    assert artifact.complete and artifact.parts[0] == {"text": "first"}
    attachment = await Attachment.objects.aget()
    assert artifact.parts[1]["url"] == f"attachment:{attachment.id}"
    assert attachment.file.open().read() == b"\x00\x01"


async def test_a_message_whose_file_is_lost_is_answered_all_the_same(room, agent):
    async def repeat(turn):
        await turn.say(turn.message.parts[1].text)

    file = Part(raw=b"\x00", media_type="image/png", filename="cat.png")
    parts = await in_thread(save_parts, room.id, (Part(text="Look"), file))
    (await Attachment.objects.aget()).file.delete(save=False)

    task = await room.settle(await room.ask(agent(repeat), "Look", parts=parts))

    assert task.state == "completed"
    assert (await room.said())[-1].text == "(The file cat.png is lost.)"


async def test_a_plain_reply_ends_the_turn(room, agent):
    async def reply(turn):
        await turn.reply("Just this.", metadata={"mood": "short"})
        raise AssertionError("not reached")

    task = await room.settle(await room.ask(agent(reply), "go"))
    answer = (await room.said())[-1]
    assert task.plain_reply and task.state == "completed"
    assert (answer.text, answer.metadata) == ("Just this.", {"mood": "short"})


async def test_a_question_waits_with_nothing_in_memory_and_the_answer_goes_on(room, agent):
    runs = []

    async def survey(turn):
        runs.append(1)
        await turn.say("One question. ")
        name = await turn.ask("What is your name?")
        await turn.say(f"Hello {name.text}!")

    task = await room.settle(await room.ask(agent(survey), "go"))
    assert task.state == "input-required" and not task.lease_owner
    await asyncio.sleep(0.05)
    assert room.runtime.queue.running() == []
    await answer(room, "tester", "Ada")
    task = await room.settle(task)
    texts = [message.text for message in await room.said()]
    assert task.state == "completed" and len(runs) == 2
    assert texts == ["go", "One question. ", "What is your name?", "Ada", "Hello Ada!"]


async def answer(room, agent_id: str, text: str) -> None:
    question = (await in_thread(open_questions, room.id))[agent_id]
    message = Message(context_id=room.id, role="user", text=text, created_at=question.started_at)
    writes = TaskWrites(new=[message])
    answer_question(writes, question, message)
    facts = [created_fact(message), *writes.facts]
    await room.runtime.journal.append(Entry(room.id, facts, writes.new, writes.changes, writes.tasks))
    room.runtime.queue.put(*writes.put)


async def test_stop_keeps_what_was_said(room, agent):
    said = asyncio.Event()

    async def talk(turn):
        try:
            await turn.say("Once upon a time")
            said.set()
            await asyncio.sleep(60)
        finally:
            assert turn.cancelled

    task = await room.ask(agent(talk), "go")
    await said.wait()
    await cancel_task(await Task.objects.aget(id=task.id))
    task = await room.settle(task)
    answer = (await room.said())[-1]
    assert (task.state, answer.state, answer.text) == ("canceled", "stopped", "Once upon a time")
    with pytest.raises(TaskOver):
        await cancel_task(task)


async def test_an_agent_that_does_not_let_go_is_left_alone(room, agent, monkeypatch):
    monkeypatch.setattr("agents_app.runtime.stopping.STOP_SECONDS", 0.1)
    started, free = asyncio.Event(), asyncio.Event()

    async def cling(turn):
        started.set()
        while not free.is_set():
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                pass
        await turn.say("too late")

    task = await room.ask(agent(cling), "go")
    await started.wait()
    await cancel_task(await Task.objects.aget(id=task.id))
    assert (await room.settle(task)).state == "canceled"
    free.set()
    await asyncio.sleep(0.5)
    assert [message.text for message in await room.said()] == ["go"]


async def test_messages_to_a_busy_agent_wait_in_order(room, agent):
    order = []

    async def slow(turn):
        order.append(f"begin {turn.message.text}")
        await asyncio.sleep(0.03)
        order.append(f"end {turn.message.text}")

    id = agent(slow)
    tasks = [await room.ask(id, str(number)) for number in range(3)]
    for task in tasks:
        assert (await room.settle(task)).state == "completed"
    assert order == ["begin 0", "end 0", "begin 1", "end 1", "begin 2", "end 2"]


async def test_one_agent_asks_another_inside_the_conversation(room, agent):
    async def lead(turn):
        answer = await turn.ask_agent("helper", "What is the weather?")
        await turn.say(f"The helper says: {answer.text}")

    async def help(turn):
        assert turn.chain == ("tester",)
        await turn.say("Rain.")

    agent(help, "helper")
    task = await room.settle(await room.ask(agent(lead), "go"))
    messages = await room.said()
    assert task.state == "completed"
    assert [(m.agent_id, m.inner, m.text) for m in messages] == [
        (None, False, "go"),
        ("tester", False, "The helper says: Rain."),
        ("tester", True, "What is the weather?"),
        ("helper", True, "Rain."),
    ]


async def test_a_loop_and_an_unknown_agent_are_answered_not_run(room, agent):
    answers = []

    async def lead(turn):
        answers.append((await turn.ask_agent("nobody", "hi")).text)
        answers.append((await turn.ask_agent("helper", "ask me back")).text)

    async def help(turn):
        back = await turn.ask_agent("tester", "and you?")
        await turn.say(f"{back.state}: {back.text}")

    agent(help, "helper")
    task = await room.settle(await room.ask(agent(lead), "go"))
    assert task.state == "completed"
    assert "no agent" in answers[0]
    assert answers[1].startswith("rejected:") and "tester → helper → tester" in answers[1]
    assert await Task.objects.acount() == 2


async def test_a_question_inside_a_delegation_reaches_the_person(room, agent):
    async def lead(turn):
        answer = await turn.ask_agent("helper", "find out")
        await turn.say(f"It is {answer.text}")

    async def help(turn):
        city = await turn.ask("Which city?")
        await turn.say(city.text)

    agent(help, "helper")
    task = await room.settle(await room.ask(agent(lead), "go"))
    assert task.state == "input-required"
    question = (await room.said())[-1]
    assert (question.text, question.inner) == ("Which city?", False)
    await asyncio.sleep(0.05)
    await answer(room, "helper", "Oslo")
    while (await Task.objects.aget(id=task.id)).state != "completed":
        await asyncio.sleep(0.02)
    assert (await room.said())[1].text == "It is Oslo"


async def test_stopping_an_agent_stops_whom_it_asked(room, agent):
    asked = asyncio.Event()

    async def lead(turn):
        await turn.ask_agent("helper", "dig")

    async def dig(turn):
        asked.set()
        await asyncio.sleep(60)

    agent(dig, "helper")
    task = await room.ask(agent(lead), "go")
    await asked.wait()
    await cancel_task(await Task.objects.aget(id=task.id))
    await asyncio.sleep(0.1)
    assert {task.state async for task in Task.objects.all()} == {"canceled"}


LONG = "n" * 3_000


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud83db", LONG], ids=["nul", "half a character", "long"])
async def test_whatever_an_agent_says_can_be_saved(room, agent, bad):
    @tool
    async def look(turn, at: str) -> ToolResult:
        """Look."""
        return ToolResult(bad, {"found": [bad]})

    async def work(turn):
        await turn.report(bad)
        await turn.say(bad)
        await turn.use(look, at=bad)
        await turn.add_artifact(Part(text=bad), Part(data={bad: bad}), name=bad, description=bad, metadata={"is": bad})
        await turn.add_artifact(Part(raw=b"x", filename=bad, media_type=bad))
        await turn.fail(bad)

    task = await room.settle(await room.ask(agent(work), "hi"))
    good = bad if bad == LONG else "a\ufffdb"
    answer = (await room.said())[-1]
    artifact = await Artifact.objects.aget(task=task, name=good)
    step = await Step.objects.aget(task=task)
    assert (task.state, task.attempts) == ("failed", 1)
    assert (answer.text, answer.error, artifact.parts[0]["text"]) == (good, good, good)
    assert step.data == {"arguments": {"at": good}, "text": good, "facts": {"found": [good]}}


async def test_what_no_database_takes_ends_the_task_soon(room, agent):
    """After as many attempts as any other task has, but not each time when its lease has expired."""

    async def work(turn):
        nobody = uuid4()
        await turn.commit(new=[Message(context_id=room.id, role="user", user_id=nobody, created_at=timezone.now())])

    task = await room.ask(agent(work), "hi")
    async with asyncio.timeout(30):
        task = await room.settle(task)
    assert task.state == "failed" and "never came to an end" in (await room.said())[-1].error
