"""An artifact that is put in the place of what the agent said before."""

from __future__ import annotations

import asyncio

import pytest
from a2a.server.agent_execution import RequestContext
from a2a.server.tasks import TaskUpdater
from a2a.types.a2a_pb2 import Part

from agents_app.a2a.client.spoken import Spoken
from agents_app.a2a.client.tests.conftest import ID
from agents_app.a2a.client.tests.elsewhere import text
from agents_app.a2a.client.tests.test_remote_tasks import BINDINGS, reply, words
from agents_app.a2a.streams import TaskStream
from agents_app.models import Artifact, Message
from agents_app.parts import load_raw
from agents_app.threads import in_thread


@pytest.mark.parametrize(("binding", "version"), BINDINGS)
async def test_it_works(server, add, room, binding, version):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("It will rain today."), artifact_id="a")
        await updater.add_artifact(text("It will snow today, and tomorrow too."), artifact_id="a")
        await updater.complete()

    await add(server(play, binding=binding, version=version))
    await room.settle(await room.ask(ID, "Will it rain?"))
    assert await words(room) == ["It will snow today, and tomorrow too."]


async def test_what_stands_between_others_is_replaced_there(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("Oslo: rain."), artifact_id="a")
        await updater.add_artifact(text("Rome: sun."), artifact_id="b")
        await updater.add_artifact(text("Oslo: snow, much of it."), artifact_id="a")
        await updater.add_artifact(text(" At last."), artifact_id="b", append=True)
        await updater.complete()

    await add(server(play))
    await room.settle(await room.ask(ID, "Will it rain?"))
    assert await words(room) == ["Oslo: snow, much of it.\n\nRome: sun. At last."]


async def test_what_was_said_before_a_question_is_replaced_there(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        if len(there.executed) > 1:
            await updater.add_artifact(text("Oslo: snow."), artifact_id="a")
            await updater.add_artifact(text("That is all."), artifact_id="b")
            await updater.complete()
            return
        await updater.add_artifact(text("Oslo: rain."), artifact_id="a")
        await updater.requires_input(updater.new_agent_message(text("Really?")))

    there = server(play)
    await add(there)
    task = await room.settle(await room.ask(ID, "Will it rain?"))
    await reply(room, "Look again")
    await room.settle(task)
    assert await words(room) == ["Oslo: snow.", "Really?", "That is all."]


async def test_files_are_replaced_as_well(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        for raw in (b"old", b"new"):
            await updater.add_artifact([Part(raw=raw, media_type="image/png", filename="map.png")], artifact_id="a")
        await updater.complete()

    await add(server(play))
    task = await room.settle(await room.ask(ID, "Draw it"))
    drawn = await Artifact.objects.aget(task=task)
    assert [(await in_thread(load_raw, part)).raw for part in drawn.parts] == [b"new"]


async def test_a_mark_that_it_is_complete_replaces_nothing(server, add, room):
    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("Rain."), artifact_id="a")
        await updater.add_artifact([], artifact_id="a", last_chunk=True)
        await updater.complete()

    await add(server(play))
    await room.settle(await room.ask(ID, "Will it rain?"))
    assert await words(room) == ["Rain."]


async def test_who_reads_along_over_a2a_gets_the_whole_text_again(server, add, room):
    goes_on = asyncio.Event()

    async def play(context: RequestContext, updater: TaskUpdater) -> None:
        await updater.add_artifact(text("It will rain."), artifact_id="a")
        await asyncio.to_thread(asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result)
        await updater.add_artifact(text("It will snow, and for long."), artifact_id="a")
        await updater.complete()

    loop = asyncio.get_running_loop()
    await add(server(play))
    task = await room.ask(ID, "Will it rain?")
    stream, read = TaskStream(task.id, room.id, "room"), ""
    async for events in stream.follow(until_waiting=False):
        for event in events:
            if update := event.json.get("artifactUpdate"):
                said = "".join(part["text"] for part in update["artifact"]["parts"])
                read = read + said if update.get("append") else said
            if read == "It will rain.":
                goes_on.set()
    stream.close()
    assert read == "It will snow, and for long."
    assert await Message.objects.filter(context_id=room.id, role="agent").acount() == 1


def test_text_is_put_where_the_old_one_stood():
    spoken = Spoken()
    assert [spoken.add("a", "1"), spoken.add("a", "2"), spoken.add("b", "3"), spoken.add("a", "4")] == [
        "1",
        "2",
        "\n\n3",
        "\n\n4",
    ]
    spoken.put("a", "one")
    assert spoken.text == "one\n\n3"
    spoken.put("c", "new")
    spoken.put("b", "")
    assert (spoken.text, spoken.of("a")) == ("one\n\nnew", "one")
