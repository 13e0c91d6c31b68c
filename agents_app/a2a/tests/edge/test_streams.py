from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from agents_app.a2a.extensions import RESUMABLE
from agents_app.a2a.streams import TaskStream
from agents_app.a2a.tests.edge.conftest import Caller, a_message


def state(event: Any) -> str:
    return event["statusUpdate"]["status"]["state"] if "statusUpdate" in event else ""


def written(events: list[Any], text: str = "") -> str:
    """The answer as a reader of the stream puts it together."""
    for event in events:
        update = event.get("artifactUpdate")
        if update and (update["artifact"].get("name") == "answer" or update.get("append")):
            said = "".join(part.get("text", "") for part in update["artifact"]["parts"])
            text = text + said if update.get("append") else said
    return text


async def collect(caller: Caller, text: str, **more: Any) -> list[Any]:
    return [event async for _, event in caller.stream("SendStreamingMessage", message=a_message(text), **more)]


async def test_it_works(guest: Caller) -> None:
    events = await collect(guest, "say Hello,\nwait 0.1\nsay  world.")

    assert list(events[0]) == ["task"] and events[0]["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"
    assert written(events) == "Hello, world."
    assert [state(event) for event in events if state(event)] == ["TASK_STATE_WORKING", "TASK_STATE_COMPLETED"]
    assert events[-2]["artifactUpdate"]["lastChunk"] and state(events[-1]) == "TASK_STATE_COMPLETED"


async def test_numbers_grow_by_one_and_chunks_keep_their_order(guest: Caller) -> None:
    events = [item async for item in guest.stream("SendStreamingMessage", message=a_message("chunks 20"))]

    chunks = [event["artifactUpdate"] for _, event in events if "artifactUpdate" in event]
    assert [chunk["artifact"]["parts"][0]["text"] for chunk in chunks] == [str(number) for number in range(20)]
    assert [chunk.get("append", False) for chunk in chunks] == [False] + [True] * 19
    assert [chunk.get("lastChunk", False) for chunk in chunks] == [False] * 19 + [True]
    numbers = [int(id.split("-")[0]) for id, _ in events]
    assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)


async def test_it_ends_with_a_question_and_goes_on_with_the_answer(guest: Caller) -> None:
    events = await collect(guest, "ask Your name?")
    assert state(events[-1]) == "TASK_STATE_INPUT_REQUIRED"
    assert events[-1]["statusUpdate"]["status"]["message"]["parts"] == [{"text": "Your name?"}]

    task_id = events[0]["task"]["id"]
    message = a_message("Ada", taskId=task_id)
    rest = [event async for _, event in guest.stream("SendStreamingMessage", message=message)]
    assert list(rest[0]) == ["task"] and rest[0]["task"]["id"] == task_id
    assert written(rest) == "You said Ada." and state(rest[-1]) == "TASK_STATE_COMPLETED"


async def test_an_agent_that_answers_with_a_message_streams_one(guest: Caller) -> None:
    events = await collect(guest, "Hello!", agent="parrot")

    assert [list(event) for event in events] == [["message"]]


async def test_a_wrong_request_is_answered_without_a_stream(guest: Caller) -> None:
    found = await guest.rpc("SendStreamingMessage", message={"messageId": "m"})

    assert found["error"]["code"] == -32602


async def test_who_subscribes_in_the_middle_misses_nothing(guest: Caller) -> None:
    task = await guest.task("say one \nwait 2\nsay two", configuration={"returnImmediately": True})
    await asyncio.sleep(0.5)

    events = [event async for _, event in guest.stream("SubscribeToTask", id=task["id"])]

    first = events[0]["task"]
    assert first["artifacts"][0]["parts"] == [{"text": "one "}]
    assert written(events[1:], "one ") == "one two" and state(events[-1]) == "TASK_STATE_COMPLETED"


async def test_two_readers_get_the_same(guest: Caller) -> None:
    task = await guest.task("wait 1\nsay one\nreport two\nchunks 5", configuration={"returnImmediately": True})

    async def read() -> list[Any]:
        return [event async for _, event in guest.stream("SubscribeToTask", id=task["id"])]

    first, second = await asyncio.gather(read(), read())
    assert first[1:] == second[1:] and len(first) > 6


async def test_a_subscription_stays_while_the_task_waits_for_a_person(guest: Caller) -> None:
    waiting = await guest.task("ask One?")
    seen: list[Any] = []

    async def read() -> None:
        async for _, event in guest.stream("SubscribeToTask", id=waiting["id"]):
            seen.append(event)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.3)
    assert not reading.done() and list(seen[0]) == ["task"]

    await guest.task("1", taskId=waiting["id"])
    await asyncio.wait_for(reading, 5)
    assert state(seen[-1]) == "TASK_STATE_COMPLETED"


async def test_an_ended_task_cannot_be_watched(guest: Caller) -> None:
    task = await guest.task("say Hello.")

    assert await guest.code("SubscribeToTask", id=task["id"]) == -32004


async def test_a_stream_is_taken_up_where_it_broke(guest: Caller) -> None:
    message = a_message("say one \nreport thinking\nwait 1\nsay two \nwait 0.1\nsay three\nchunks 2")
    had: list[Any] = []
    last, task_id = "", ""
    async for id, event in guest.stream("SendStreamingMessage", message=message):
        had.append(event)
        last, task_id = id, task_id or event["task"]["id"]
        if "one" in written(had):
            break

    headers = {"Last-Event-ID": last, "A2A-Extensions": RESUMABLE}
    rest = [event async for _, event in guest.stream("SubscribeToTask", id=task_id, headers=headers)]

    assert not any("task" in event for event in rest)
    chunks = [event for event in rest if event.get("artifactUpdate", {}).get("artifact", {}).get("name") == "chunks"]
    assert written([event for event in rest if event not in chunks][:-2], written(had)).startswith("one two three")
    assert len(chunks) == 1 and state(rest[-1]) == "TASK_STATE_COMPLETED"


async def test_what_was_missed_comes_also_after_the_end(guest: Caller) -> None:
    task = await guest.task("say Hello.\nchunks 2")

    headers = {"Last-Event-ID": "2"}
    rest = [event async for _, event in guest.stream("SubscribeToTask", id=task["id"], headers=headers)]

    assert written(rest[:1]) == "" or "Hello." in written(rest)
    assert state(rest[-1]) == "TASK_STATE_COMPLETED"
    headers = {"Last-Event-ID": "1000"}
    assert [e async for e in guest.stream("SubscribeToTask", id=task["id"], headers=headers)] == []


@pytest.mark.parametrize("live", [True, False])
async def test_hundreds_of_events_at_once_come_each_once_and_in_order(guest: Caller, live: bool) -> None:
    if live:
        stream = guest.stream("SendStreamingMessage", message=a_message("chunks 300"))
    else:
        task = await guest.task("chunks 300")
        stream = guest.stream("SubscribeToTask", id=task["id"], headers={"Last-Event-ID": "2"})
    events = [(int(id.partition("-")[0]), event) async for id, event in stream]

    updates = [event["artifactUpdate"] for _, event in events if "artifactUpdate" in event]
    assert [part["text"] for update in updates for part in update["artifact"]["parts"]] == [str(n) for n in range(300)]
    numbers = [number for number, _ in events]
    assert numbers == sorted(set(numbers)) and state(events[-1][1]) == "TASK_STATE_COMPLETED"


async def test_the_readers_going_ends_nothing(guest: Caller) -> None:
    async for _, event in guest.stream("SendStreamingMessage", message=a_message("say one\nwait 0.3\nsay  two")):
        task_id = event["task"]["id"]
        break

    task = await guest.ended(task_id)
    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and task["artifacts"][0]["parts"] == [{"text": "one two"}]


async def test_a_stop_ends_every_stream(guest: Caller) -> None:
    task = await guest.task("say one\nwait 30", configuration={"returnImmediately": True})

    async def read() -> list[Any]:
        return [event async for _, event in guest.stream("SubscribeToTask", id=task["id"])]

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0.2)
    stopped = await guest.call("CancelTask", id=task["id"])

    assert stopped["status"]["state"] == "TASK_STATE_CANCELED"
    for events in await asyncio.gather(*readers):
        assert state(events[-1]) == "TASK_STATE_CANCELED"
    assert await guest.code("CancelTask", id=task["id"]) == -32002


async def test_events_of_another_process_come_too(guest: Caller, monkeypatch: Any) -> None:
    """Nothing is heard here of what the other process does: everything comes from the journal."""
    from agents_app.a2a import streams

    monkeypatch.setattr(streams, "POLL_SECONDS", 0.1)
    task = await guest.task("wait 1\nsay one\nchunks 3", configuration={"returnImmediately": True})
    monkeypatch.setattr(streams._Watch, "tell", lambda self, item: None)

    events = [event async for _, event in guest.stream("SubscribeToTask", id=task["id"])]

    assert (
        written([e for e in events if e.get("artifactUpdate", {}).get("artifact", {}).get("name") == "answer"]) == "one"
    )
    assert state(events[-1]) == "TASK_STATE_COMPLETED"


async def test_what_was_said_before_comes_before(guest: Caller) -> None:
    """Text waits a moment to be gathered, facts do not."""
    for _ in range(5):
        events = await collect(guest, "say one\nsay two\nreport three\nsay four\ndata {}\nsay five\nchunks 2")

        order = [
            "report" if state(event) else event["artifactUpdate"]["artifact"].get("name", "more")
            for event in events[2:-1]
        ]
        said_first = [kind for kind in order if kind in ("answer", "report", "facts", "chunks")]
        assert said_first == ["answer", "report", "facts", "chunks"]
        assert written([e for e in events if "facts" not in str(e) and "chunks" not in str(e)])[:6] == "onetwo"


async def test_a_snapshot_never_runs_ahead_of_its_number(guest: Caller) -> None:
    """Chunks that are saved together are not shown before their events, or a reader would get them twice."""
    task = await guest.task("wait 0.5\nchunks 60", configuration={"returnImmediately": True})

    async def read() -> str:
        chunks = ""
        async for _, event in guest.stream("SubscribeToTask", id=task["id"]):
            artifacts = event.get("task", {}).get("artifacts", []) or [event.get("artifactUpdate", {}).get("artifact")]
            chunks += "".join(f" {part['text']}" for artifact in artifacts if artifact for part in artifact["parts"])
        return chunks

    readers = []
    for _ in range(12):
        readers.append(asyncio.create_task(read()))
        await asyncio.sleep(0.01)
    told = [reader.result() for reader in (await asyncio.wait(readers))[0] if reader.exception() is None]
    assert told and set(told) == {"".join(f" {number}" for number in range(60))}


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_what_goes_wrong_in_the_middle_is_the_last_event(guest, monkeypatch, binding):
    follow = TaskStream.follow

    async def breaking(self, *, until_waiting):
        async for events in follow(self, until_waiting=until_waiting):
            yield events
            raise RuntimeError("the secret ingredient")

    monkeypatch.setattr(TaskStream, "follow", breaking)
    message = {"message": a_message("say one\nwait 1\nsay two")}
    if binding == "JSONRPC":
        path, body = "/a2a/clerk/", {"jsonrpc": "2.0", "id": 7, "method": "SendStreamingMessage", "params": message}
    else:
        path, body = "/a2a/clerk/v1/message:stream", message
    answer = await guest.client.post(f"{guest.address}{path}", json=body, headers=guest.headers)
    *events, last = answer.text.strip().split("\n\n")
    assert len(events) >= 2 and all(event.startswith("id: ") for event in events)
    head, data = last.split("\n")
    assert head == "event: error" and "secret" not in data
    error = json.loads(data.removeprefix("data: "))["error"]
    assert error["code"] == (-32603 if binding == "JSONRPC" else 500)
