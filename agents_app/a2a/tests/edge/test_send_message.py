from __future__ import annotations

import asyncio

from agents_app.a2a.tests.edge.conftest import Caller, a_message, texts
from agents_app.models import Task


async def test_it_works(guest: Caller) -> None:
    task = await guest.task("say Hello.")

    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and task["status"]["timestamp"].endswith("Z")
    assert texts(task) == ["Hello."] and task["artifacts"][0]["name"] == "answer"
    [asked] = task["history"]
    assert asked["messageId"] == "m-1" and asked["role"] == "ROLE_USER" and asked["contextId"] == task["contextId"]


async def test_what_is_answered_is_what_is_saved(guest: Caller) -> None:
    task = await guest.task('say Hello.\ndata {"n": 1}\nchunks 3')

    assert task == await guest.call("GetTask", id=task["id"])
    assert texts(task) == ["Hello.", "", "012"]
    assert task["artifacts"][1]["parts"] == [{"data": {"n": 1}}]


async def test_who_does_not_wait_gets_the_task_at_once(guest: Caller) -> None:
    task = await guest.task("wait 1\nsay done", configuration={"returnImmediately": True})
    assert task["status"]["state"] in ("TASK_STATE_SUBMITTED", "TASK_STATE_WORKING")

    assert texts(await guest.ended(task["id"])) == ["done"]


async def test_an_agent_may_answer_with_a_message(guest: Caller) -> None:
    answer = await guest.send("Hello!", agent="parrot")

    assert answer["message"]["role"] == "ROLE_AGENT" and answer["message"]["parts"] == [{"text": "Hello!"}]
    assert answer["message"]["contextId"]


async def test_a_question_is_answered_on_the_same_task(guest: Caller) -> None:
    waiting = await guest.task("say Well.\nask What is your name?")
    assert waiting["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert waiting["status"]["message"]["parts"] == [{"text": "What is your name?"}]
    assert waiting == await guest.call("GetTask", id=waiting["id"])

    done = await guest.task("Ada", taskId=waiting["id"], messageId="m-2")

    assert done["id"] == waiting["id"] and done["contextId"] == waiting["contextId"]
    assert texts(done) == ["Well.", "You said Ada."]
    said = [(message["role"], message["parts"][0]["text"]) for message in done["history"]]
    assert said[1:] == [("ROLE_AGENT", "What is your name?"), ("ROLE_USER", "Ada")]


async def test_the_same_message_id_again_is_another_message(guest: Caller) -> None:
    waiting = await guest.task("ask One?\nask Two?")
    await guest.task("1", taskId=waiting["id"])
    done = await guest.task("2", taskId=waiting["id"])

    assert [message["messageId"] for message in done["history"] if message["role"] == "ROLE_USER"] == ["m-1"] * 3


async def test_a_context_goes_on(guest: Caller) -> None:
    first = await guest.task("say one", contextId="my-own-context")
    second = await guest.task("say two", contextId="my-own-context")

    assert first["contextId"] == second["contextId"] == "my-own-context" and first["id"] != second["id"]
    tasks = await Task.objects.filter(id__in=[first["id"], second["id"]]).values_list("context_id").distinct().acount()
    assert tasks == 1


async def test_the_same_new_context_from_two_calls_at_once_is_one(guest: Caller) -> None:
    tasks = await asyncio.gather(*(guest.task(f"say {n}", contextId="both") for n in range(5)))

    assert {task["contextId"] for task in tasks} == {"both"}
    assert await Task.objects.values("context_id").distinct().acount() == 1


async def test_an_end_comes_with_its_reason(guest: Caller) -> None:
    for verb, state in (("fail", "TASK_STATE_FAILED"), ("reject", "TASK_STATE_REJECTED")):
        task = await guest.task(f"{verb} No paper left.")
        assert task["status"]["state"] == state
        assert task["status"]["message"]["parts"] == [{"text": "No paper left."}]


async def test_what_an_agent_raises_stays_here(guest: Caller) -> None:
    task = await guest.task("raise the password is swordfish")

    assert task["status"]["state"] == "TASK_STATE_FAILED" and "swordfish" not in str(task["status"])


async def test_files_travel_inside(guest: Caller) -> None:
    task = await guest.task("file Hello!")

    [part] = task["artifacts"][0]["parts"]
    assert part == {"raw": "SGVsbG8h", "mediaType": "text/plain", "filename": "a.txt"}


async def test_history_is_as_long_as_asked(guest: Caller) -> None:
    waiting = await guest.task("ask One?")
    await guest.task("1", taskId=waiting["id"], messageId="m-2")

    assert "history" not in await guest.call("GetTask", id=waiting["id"], historyLength=0)
    [last] = (await guest.call("GetTask", id=waiting["id"], historyLength=1))["history"]
    assert last["messageId"] == "m-2"
    assert await guest.code("GetTask", id=waiting["id"], historyLength=-1) == -32602


async def test_a_finished_task_takes_no_message(guest: Caller) -> None:
    done = await guest.task("say Hello.")

    assert await guest.code("SendMessage", message=a_message("more", taskId=done["id"])) == -32004


async def test_another_context_than_the_tasks_is_refused(guest: Caller) -> None:
    waiting = await guest.task("ask One?")

    code = await guest.code("SendMessage", message=a_message("1", taskId=waiting["id"], contextId="another"))
    assert code == -32602


async def test_a_task_nobody_knows_is_not_made(guest: Caller) -> None:
    assert await guest.code("SendMessage", message=a_message("1", taskId="mine")) == -32001


async def test_a_media_type_nobody_reads_is_refused(guest: Caller) -> None:
    part = {"raw": "SGVsbG8h", "mediaType": "image/png"}
    assert await guest.code("SendMessage", message=a_message("") | {"parts": [part]}) == -32005


async def test_a_missing_field_is_named(guest: Caller) -> None:
    found = await guest.rpc("SendMessage", message={"messageId": "m", "role": "ROLE_USER", "parts": []})

    assert found["error"]["code"] == -32602
    [_, bad] = found["error"]["data"]
    assert bad["fieldViolations"][0]["field"] == "message.parts"


async def test_an_agent_may_look_back_from_the_first_message(guest: Caller) -> None:
    assert texts(await guest.task("history")) == ["Before: 0."]
    await guest.task("say one", contextId="long")
    assert texts(await guest.task("history", contextId="long")) == ["Before: 2."]
