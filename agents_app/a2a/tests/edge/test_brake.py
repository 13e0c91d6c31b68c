"""A budget that is used up, over A2A: a question like any other."""

from __future__ import annotations

import pytest

from agents_app.a2a.tests.edge.conftest import a_message, texts

QUESTION = "The time of this request is used up. Reply go on, answer or end."


@pytest.fixture(autouse=True)
def brief(settings):
    settings.AGENTS_TURN_SECONDS = 0.5


async def test_it_works(guest):
    task = await guest.task("say one\nwait 2\nsay two")
    assert task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert task["status"]["message"]["parts"] == [{"text": QUESTION}]
    assert [message["role"] for message in task["history"]] == ["ROLE_USER"]
    read = await guest.call("GetTask", id=task["id"])
    assert read["status"]["message"]["parts"] == [{"text": QUESTION}] and texts(read) == ["one"]


async def test_what_is_no_choice_is_refused_and_the_task_waits_on(guest):
    task = await guest.task("wait 2")
    reply = a_message("What is the weather?", taskId=task["id"])
    error = (await guest.rpc("SendMessage", message=reply))["error"]
    assert error["code"] == -32004 and "go on, answer or end" in error["message"]
    assert (await guest.call("GetTask", id=task["id"]))["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"


async def test_going_on_goes_on(guest, settings):
    task = await guest.task("say one\nwait 1\nsay two")
    settings.AGENTS_TURN_SECONDS = 20
    task = await guest.task("go on", taskId=task["id"])
    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and texts(task) == ["onetwo"]


async def test_ending_ends(guest):
    task = await guest.task("say one\nwait 2")
    task = await guest.task("End.", taskId=task["id"])
    assert task["status"]["state"] == "TASK_STATE_CANCELED" and texts(task) == ["one"]


async def test_a_stream_ends_with_the_question(guest):
    events = [
        event
        async for _, event in guest.stream(
            "SendStreamingMessage", message=a_message("say one\nwait 2"), configuration={}
        )
    ]
    last = events[-1]["statusUpdate"]["status"]
    assert last["state"] == "TASK_STATE_INPUT_REQUIRED" and last["message"]["parts"] == [{"text": QUESTION}]
