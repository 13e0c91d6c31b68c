"""A whole turn of an agent, as a receiver is told of it."""

from __future__ import annotations

from django.utils import timezone

from agents_app import runtime
from agents_app.a2a.push.configs import config_row, create_config
from agents_app.a2a.push.tests.conftest import tell
from agents_app.actions.tasks import TaskWrites, begin_task
from agents_app.models import Message
from agents_app.runtime.facts import changed_fact, created_fact
from agents_app.runtime.journal import Entry
from agents_app.tests.runtime.conftest import Room, agent, queue, room  # noqa: F401  (fixtures)


async def ask(room: Room, agent_id: str, url: str) -> None:  # noqa: F811
    request = Message(context_id=room.id, role=Message.Role.USER, text="hello", created_at=timezone.now())
    writes = TaskWrites(new=[request], facts=[created_fact(request)])
    task = begin_task(writes, request, agent_id, None)
    writes.new.append(await config_row(task, {"url": url}))
    await room.runtime.journal.append(Entry(room.id, writes.facts, writes.new))
    room.runtime.queue.put(task.id)


async def test_it_works(room, agent, receiver, sending):  # noqa: F811
    async def answer(turn):
        await turn.say("Good ")
        await turn.say("morning.")

    await ask(room, agent(answer), receiver.url)
    await receiver.until(4)
    submitted, working, said, completed = [got.body for got in receiver.got]
    assert submitted["statusUpdate"]["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert working["statusUpdate"]["status"]["state"] == "TASK_STATE_WORKING"
    update = said["artifactUpdate"]
    assert update["lastChunk"] is True and not update.get("append")
    assert update["artifact"]["parts"] == [{"text": "Good morning."}]
    assert completed["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_an_answer_that_was_finished_before_its_beginning_was_told_is_told_once(task, receiver, sending):
    await create_config(task, {"url": receiver.url})
    said = {"role": "agent", "agent_id": task.agent_id, "task": task, "text": "Done."}
    message = Message(context_id=task.context_id, created_at=timezone.now(), **said)
    facts = [created_fact(message), changed_fact(message)]
    await runtime.current().journal.append(Entry(task.context_id, facts, [message]))
    await tell(task, "completed")
    await receiver.until(2)
    assert [list(got.body) for got in receiver.got] == [["artifactUpdate"], ["statusUpdate"]]
