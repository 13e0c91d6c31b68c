from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types.a2a_pb2 import Part
from asgiref.sync import sync_to_async
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value

from agents_app import registry, runtime
from agents_app.a2a.client.tests.conftest import ID
from agents_app.a2a.client.tests.elsewhere import answer, text
from agents_app.a2a.extensions import CHAIN
from agents_app.actions.agents import register_agents
from agents_app.actions.remote_agents import update_credentials
from agents_app.actions.tasks import TaskWrites, answer_question, cancel_task, decide, open_questions
from agents_app.base import Agent
from agents_app.models import Artifact, Event, Message, RemoteTask, Task, WireMessage
from agents_app.parts import load_raw
from agents_app.runtime.brake import Choice
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry
from agents_app.runtime.loops import mark
from agents_app.tests.runtime.conftest import Room
from agents_app.threads import in_thread

BINDINGS = [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("GRPC", "1.0"), ("JSONRPC", "0.3"), ("HTTP+JSON", "0.3")]


async def words(room: Room) -> list[str]:
    return [message.text for message in await room.said() if message.role == "agent"]


async def reports(task: Task) -> list[str]:
    events = Event.objects.filter(task=task, type="task.status").order_by("seq")
    return [event.data["text"] async for event in events if event.data["text"]]


async def reply(room: Room, said: str) -> None:
    """A person answers the question that waits."""
    [question] = (await in_thread(open_questions, room.id)).values()
    message = Message(context_id=room.id, role=Message.Role.USER, text=said, created_at=question.started_at)
    writes = TaskWrites(new=[message])
    answer_question(writes, question, message)
    writes.facts.insert(0, created_fact(message))
    await room.runtime.journal.append(Entry(room.id, writes.facts, writes.new, writes.changes, writes.tasks))
    room.runtime.queue.put(*writes.put)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("binding", "version"), BINDINGS)
@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "polling"])
async def test_it_works(server, add, room, binding, version, streaming):
    there = server(answer, binding=binding, version=version, streaming=streaming)
    remote = await add(there)
    assert (remote.binding, remote.protocol_version) == (binding, version)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert (task.state, task.status_text) == ("completed", "")
    assert await words(room) == ["It will rain tomorrow."]
    row = await RemoteTask.objects.aget(task=task)
    assert row.remote_task_id and row.remote_context_id
    assert len(there.executed) == 1


async def test_what_it_is_doing_is_reported(server, add, room):
    await add(server(answer))
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert "Looking out of the window" in await reports(task)


async def test_an_answer_now_is_what_it_has_made_so_far(server, add, room, settings):
    settings.AGENTS_TURN_SECONDS = 1.0

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("Half of it."), artifact_id="answer")
        await asyncio.sleep(60)

    there = server(play)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert task.state == "input-required" and there.cancelled == []
    settings.AGENTS_TURN_SECONDS = 30.0  # for what follows there is time, however slow the machine is
    await decide(task, Choice.ANSWER)
    assert (await room.settle(task)).state == "completed"
    assert await words(room) == ["Half of it."]
    assert len(there.cancelled) == len(there.executed) == 1


async def test_going_on_follows_the_task_that_went_on_there(server, add, room, settings):
    settings.AGENTS_TURN_SECONDS = 0.5

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await asyncio.sleep(1)
        await updater.add_artifact(text("It will rain."), artifact_id="answer")
        await updater.complete()

    there = server(play)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    settings.AGENTS_TURN_SECONDS = 20
    await decide(task, Choice.GO_ON)
    assert (await room.settle(task)).state == "completed"
    assert await words(room) == ["It will rain."] and len(there.executed) == 1


async def test_a_plain_message_is_the_answer(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None: ...

    play.plain = True  # type: ignore[attr-defined]
    await add(server(play))
    task = await room.settle(await room.ask(ID, "Hello"))
    assert (task.state, task.plain_reply) == ("completed", True)
    assert await words(room) == ["Just words."]


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_answer_in_the_last_status_is_said(server, add, room, streaming):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.complete(updater.new_agent_message(text("Done and dusted.")))

    await add(server(play, streaming=streaming))
    await room.settle(await room.ask(ID, "Do it"))
    assert await words(room) == ["Done and dusted."]


async def test_files_data_and_documents_become_artifacts(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        data = ParseDict({"degrees": 21, "wind": 3.5}, Value())
        await updater.add_artifact(
            [Part(raw=b"\x89PNG", media_type="image/png", filename="map.png"), Part(data=data)], name="Map"
        )
        await updater.add_artifact([Part(text="# Report", filename="report.md")], artifact_id="r", name="Report")
        await updater.add_artifact([Part(url="https://example.com/radar")], artifact_id="r", append=True)
        await updater.complete()

    await add(server(play))
    task = await room.settle(await room.ask(ID, "Draw it"))
    drawn, report = [artifact async for artifact in Artifact.objects.filter(task=task).order_by("created_at")]
    image = await in_thread(load_raw, drawn.parts[0])
    assert (image.raw, image.filename, drawn.name) == (b"\x89PNG", "map.png", "Map")
    assert drawn.parts[1]["data"] == {"degrees": 21, "wind": 3.5}
    assert report.parts == [{"text": "# Report", "filename": "report.md"}, {"url": "https://example.com/radar"}]
    assert report.wire == {"artifactId": "r"}


async def test_what_a_person_attached_is_sent_as_raw_bytes(server, add, room):
    got: list[Part] = []

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        assert context.message
        got.extend(context.message.parts)
        await updater.complete()

    await add(server(play))
    raw = {"raw": base64.b64encode(b"a,b\n1,2").decode(), "mediaType": "text/csv", "filename": "t.csv"}
    await room.settle(await room.ask(ID, "Sum it up", parts=[{"text": "Sum it up"}, raw]))
    assert [part.text for part in got] == ["Sum it up", ""]
    assert (got[1].raw, got[1].filename, got[1].media_type) == (b"a,b\n1,2", "t.csv", "text/csv")


@pytest.mark.parametrize(("binding", "version"), [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3")])
async def test_a_stream_that_breaks_is_taken_up_without_a_gap(server, add, room, binding, version):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        for number in range(12):
            await updater.add_artifact(text(f"{number} "), artifact_id="count", append=number > 0)
            await asyncio.sleep(0.05)
        await updater.complete()

    there = server(play, binding=binding, version=version)
    await add(there)
    there.cut_after = 4
    task = await room.settle(await room.ask(ID, "Count"))
    assert there.cut_after is None, "the stream did not break"
    assert (task.state, task.status_text) == ("completed", "")
    assert await words(room) == ["0 1 2 3 4 5 6 7 8 9 10 11 "]
    assert len(there.executed) == 1


async def test_a_chunk_that_comes_again_behind_the_whole_is_said_once(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        for number in range(12):
            await updater.add_artifact(text(f"{number} "), artifact_id="count", append=number > 0)
            await asyncio.sleep(0.1)
        await updater.complete()

    there = server(play)
    await add(there)
    there.cut_after, there.repeats = 4, True
    task = await room.settle(await room.ask(ID, "Count"))
    assert not there.repeats, "nothing came twice"
    assert task.state == "completed"
    assert await words(room) == ["0 1 2 3 4 5 6 7 8 9 10 11 "]


@pytest.mark.parametrize(("binding", "version"), BINDINGS)
async def test_a_question_waits_for_a_person_and_the_answer_goes_to_the_same_task(server, add, room, binding, version):
    asked: list[str] = []

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        asked.append(updater.task_id)
        if context.current_task and context.current_task.artifacts:
            await updater.add_artifact(text(f"In {context.get_user_input()}: rain."), artifact_id="b")
            await updater.complete()
            return
        await updater.add_artifact(text("Let me see. "), artifact_id="a")
        await updater.requires_input(updater.new_agent_message(text("Where?")))

    there = server(play, binding=binding, version=version)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert (task.state, task.status_text) == ("input-required", "Where?")
    await reply(room, "Oslo")
    task = await room.settle(task)
    assert (task.state, task.status_text) == ("completed", "")
    assert await words(room) == ["Let me see. ", "Where?", "In Oslo: rain."]
    assert len(there.executed) == 2
    assert asked == [(await RemoteTask.objects.aget(task=task)).remote_task_id] * 2


async def test_it_may_ask_for_credentials(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        if len(there.executed) > 1:
            await updater.add_artifact(text("Welcome."))
            await updater.complete()
            return
        await updater.requires_auth(updater.new_agent_message(text("I need a key of the weather office.")))

    there = server(play)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert task.state == "auth-required"
    assert task.status_text.startswith("I need a key of the weather office.\n\nAn administrator can enter")
    await reply(room, "It has one now")
    assert (await room.settle(task)).state == "completed"
    assert (await words(room))[-1] == "Welcome."


async def test_it_goes_on_by_itself_when_credentials_are_entered(server, add, room, grace):
    schemes = {"securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}}}
    got: list[str] = []

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        got.append(context.get_user_input())
        if len(there.executed) > 1:
            await updater.add_artifact(text("Welcome."))
            await updater.complete()
            return
        await updater.requires_auth(updater.new_agent_message(text("I need a key.")))

    there = server(play, extra=schemes)
    remote = await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert task.state == "auth-required"
    await sync_to_async(update_credentials)(grace, remote, {"key": "open sesame"})  # as a view is called
    assert (await room.settle(task)).state == "completed"
    asked, welcome = await words(room)
    assert asked.startswith("I need a key.") and asked.endswith("*Credentials were entered, so it goes on by itself.*")
    assert welcome == "Welcome."
    assert got == ["Will it rain?", "The credentials that you asked for have been entered. Please go on."]
    assert there.seen[-1].headers["x-key"] == "open sesame"


async def test_it_goes_on_by_itself_for_whoever_asked_it(server, add, room, grace):
    """Also over gRPC, where credentials are metadata."""

    class Asker(Agent):
        id, name, description = "asker", "Asker", "Asks."

        async def respond(self, turn):
            await turn.say((await turn.ask_agent(ID, "Will it rain?")).text)

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        if len(there.executed) > 1:
            await updater.add_artifact(text("Welcome."))
            await updater.complete()
            return
        await updater.requires_auth(updater.new_agent_message(text("I need a key.")))

    registry.add(Asker)
    try:
        await in_thread(register_agents)
        schemes = {"securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}}}
        there = server(play, binding="GRPC", extra=schemes)
        remote = await add(there)
        task = await room.settle(await room.ask("asker", "Ask"))
        assert task.state in ("input-required", "auth-required")
        await sync_to_async(update_credentials)(grace, remote, {"key": "open sesame"})

        async def completed() -> bool:
            return await Task.objects.filter(id=task.id, state="completed").aexists()

        await until(completed)
    finally:
        registry.remove("asker")
    assert "Welcome." in await words(room) and len(there.executed) == 2


async def test_removing_credentials_lets_nothing_go_on(server, add, room, grace):
    schemes = {"securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}}}

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.requires_auth(updater.new_agent_message(text("I need a key.")))

    remote = await add(server(play, extra=schemes), key="wrong")
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    await in_thread(update_credentials, grace, remote, {"key": ""})
    assert (await Task.objects.aget(id=task.id)).state == "auth-required"


@pytest.mark.parametrize(("end", "state"), [("failed", "failed"), ("reject", "rejected"), ("cancel", "canceled")])
async def test_it_may_end_otherwise(server, add, room, end, state):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await getattr(updater, end)(updater.new_agent_message(text("No weather today.")))

    await add(server(play))
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert (task.state, task.status_text) == (state, "No weather today.")


async def _endless(context: RequestContext, updater: TaskUpdater) -> None:
    await updater.start_work(updater.new_agent_message(text("Thinking")))
    await asyncio.sleep(60)


async def test_stop_here_is_stop_there(server, add, room):
    there = server(_endless)
    await add(there)
    task = await room.ask(ID, "Think")

    async def thinks() -> bool:
        return "Thinking" in await reports(task)

    await until(thinks)
    await cancel_task(await Task.objects.aget(id=task.id))
    row = await RemoteTask.objects.aget(task=task)

    async def stopped() -> bool:
        return there.cancelled == [row.remote_task_id]

    await until(stopped)
    assert (await Task.objects.aget(id=task.id)).state == "canceled"


async def test_a_question_that_is_stopped_here_is_stopped_there(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.requires_input(updater.new_agent_message(text("Where?")))

    there = server(play)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    await cancel_task(task)

    async def stopped() -> bool:
        return len(there.cancelled) == 1

    await until(stopped)


async def test_a_conversation_keeps_its_context_there(server, add, room):
    await add(server(answer))
    first = await room.settle(await room.ask(ID, "Today?"))
    second = await room.settle(await room.ask(ID, "Tomorrow?"))
    one, other = await RemoteTask.objects.aget(task=first), await RemoteTask.objects.aget(task=second)
    assert one.remote_context_id == other.remote_context_id
    assert one.remote_task_id != other.remote_task_id


async def test_another_agent_may_ask_it_and_the_chain_travels(server, add, room):
    class Asker(Agent):
        id, name, description = "asker", "Asker", "Asks."

        async def respond(self, turn):
            found = await turn.ask_agent(ID, "Will it rain?")
            await turn.say(f"{found.state}: {found.text}")

    registry.add(Asker)
    try:
        await in_thread(register_agents)
        there = server(answer)
        await add(there)
        await room.settle(await room.ask("asker", "Ask"))
    finally:
        registry.remove("asker")
    assert "completed: It will rain tomorrow." in await words(room)
    request = json.loads(there.sent("SendStreamingMessage")[0].body)["params"]
    chain = request["metadata"][CHAIN]
    assert (chain["chain"], chain["agents"]) == (["Asker"], [mark("asker")])
    assert chain["hops"] > 0 and chain["seconds"] > 0 and chain["tokens"] > 0
    assert CHAIN in there.seen[0].headers["a2a-extensions"]
    assert there.seen[0].headers["a2a-version"] == "1.0"


async def test_what_was_sent_is_not_sent_again_after_a_crash(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("Half "), artifact_id="a")
        await asyncio.sleep(0.5)
        await updater.add_artifact(text("and half."), artifact_id="a", append=True)
        await updater.complete()

    there = server(play)
    await add(there)
    task = await room.ask(ID, "Slowly")

    async def half() -> bool:
        return bool(await RemoteTask.objects.filter(task=task).exclude(remote_task_id="").aexists())

    await until(half)
    await _crash(room, task)
    task = await room.settle(task)
    assert (task.state, task.attempts) == ("completed", 2)
    assert await words(room) == ["Half and half."]
    assert len(there.executed) == 1


async def test_a_crash_before_it_was_heard_of_is_found_in_its_list(server, add, room):
    there = server(_endless)
    await add(there)
    task = await room.ask(ID, "Think")

    async def known() -> bool:
        return bool(await RemoteTask.objects.filter(task=task).exclude(remote_task_id="").aexists())

    await until(known)
    await RemoteTask.objects.filter(task=task).aupdate(remote_task_id="")
    await _crash(room, task)
    await until(known)
    assert len(there.executed) == 1


async def _crash(room: Room, task: Task, before_it_is_adopted: Any = None) -> None:
    """The run ends as with its process; the task is adopted by another."""
    job = room.runtime.queue._running[task.id]
    await in_thread(Task.objects.filter(id=task.id).update, lease_owner="somebody else", lease_until=None)
    job.cancel()
    await asyncio.wait([job])
    if before_it_is_adopted:
        await before_it_is_adopted(task)
    await in_thread(Task.objects.filter(id=task.id).update, lease_owner="", lease_until=None)
    room.runtime.queue.put(task.id)


async def test_an_error_there_is_told_in_words(server, add, room):
    there = server(answer)
    await add(there)
    there.status = 401
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert task.state == "failed"
    assert task.status_text.startswith("Weather Bot does not accept this server's credentials.")


async def test_what_goes_over_the_line_is_in_the_wire_log(server, add, room):
    schemes = {
        "securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}},
        "securityRequirements": [{"schemes": {"key": {}}}],
    }
    there = server(answer, extra=schemes)
    await add(there, key="open sesame")
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    assert there.seen[0].headers["x-key"] == "open sesame"

    async def logged() -> bool:
        return await WireMessage.objects.filter(task=task).aexists()

    await until(logged)
    row = await WireMessage.objects.filter(task=task).afirst()
    assert (row.direction, row.binding, row.operation, row.status) == ("out", "JSONRPC", "SendMessage", 200)
    assert "Will it rain?" in row.request_body and "tomorrow" in row.response_body
    assert "open sesame" not in json.dumps(row.request_headers)


async def test_an_agent_that_is_removed_says_so(server, add, room, grace):
    from agents_app.actions.remote_agents import remove_remote_agent

    remote = await add(server(answer))
    await room.settle(await room.ask(ID, "Will it rain?"))
    await in_thread(remove_remote_agent, grace, remote)
    task = await room.settle(await room.ask(ID, "And now?"))
    assert (task.state, task.status_text) == ("failed", "Weather Bot is not here any more.")
    assert runtime.current() is room.runtime
