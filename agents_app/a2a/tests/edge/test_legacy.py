"""A2A 0.3 on the addresses of 1.0, as its wire is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from a2a.compat.v0_3 import types as v03

from accounts.models import User
from agents_app.a2a.push.sender import Sender
from agents_app.a2a.push.tests.receiver import receive_notifications
from agents_app.a2a.tests.edge.conftest import Caller, a_message, events


@pytest.fixture
def guest(guest: Caller) -> Caller:
    """Somebody who names no version."""
    del guest.headers["A2A-Version"]
    return guest


def legacy_message(text: str, **more: Any) -> Any:
    return {"kind": "message", "messageId": "m-1", "role": "user", "parts": [{"kind": "text", "text": text}], **more}


async def test_it_works(guest: Caller) -> None:
    task = await guest.call("message/send", message=legacy_message("say Hello."))

    v03.Task.model_validate(task)
    assert task["kind"] == "task" and task["status"]["state"] == "completed"
    assert task["artifacts"][0]["parts"] == [{"kind": "text", "text": "Hello."}]
    assert task["history"][0]["role"] == "user"
    assert task == await guest.call("tasks/get", id=task["id"])


async def test_an_answer_that_is_a_message(guest: Caller) -> None:
    answer = await guest.call("message/send", agent="parrot", message=legacy_message("Hello!"))

    assert answer["kind"] == "message" and answer["parts"] == [{"kind": "text", "text": "Hello!"}]


async def test_data_and_files_come_and_go(guest: Caller) -> None:
    task = await guest.call("message/send", message=legacy_message('data {"n": 1}\nfile Hello!'))

    [data, file] = task["artifacts"]
    assert data["parts"] == [{"kind": "data", "data": {"n": 1}}]
    assert file["parts"][0]["file"] == {"bytes": "SGVsbG8h", "mimeType": "text/plain", "name": "a.txt"}


async def test_the_last_event_of_a_stream_says_so(guest: Caller) -> None:
    seen = [data async for _, data in guest.stream("message/stream", message=legacy_message("say Hi.\nask Who?"))]

    assert seen[0]["kind"] == "task" and {each["kind"] for each in seen[1:]} == {"artifact-update", "status-update"}
    assert seen[-1]["final"] and seen[-1]["status"]["state"] == "input-required"
    assert not any(each.get("final") for each in seen[:-1])


async def test_a_task_is_watched_and_stopped(guest: Caller) -> None:
    sent = {"message": legacy_message("wait 20"), "configuration": {"blocking": False}}
    task = await guest.call("message/send", **sent)
    watching = guest.stream("tasks/resubscribe", id=task["id"])
    _, first = await anext(watching)
    assert first["id"] == task["id"]

    assert (await guest.call("tasks/cancel", id=task["id"]))["status"]["state"] == "canceled"
    assert [data async for _, data in watching][-1]["status"]["state"] == "canceled"
    assert await guest.code("tasks/cancel", id=task["id"]) == -32002


async def test_push_configurations(guest: Caller, monkeypatch: Any, settings: Any) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    task = await guest.call("message/send", message=legacy_message("say Hello."))
    config = {"id": "mine", "url": "http://127.0.0.1:9/", "token": "t"}

    kept = await guest.call("tasks/pushNotificationConfig/set", taskId=task["id"], pushNotificationConfig=config)
    assert kept == {"taskId": task["id"], "pushNotificationConfig": config}
    found = await guest.call("tasks/pushNotificationConfig/get", id=task["id"], pushNotificationConfigId="mine")
    assert found == kept == await guest.call("tasks/pushNotificationConfig/get", id=task["id"])
    assert await guest.call("tasks/pushNotificationConfig/list", id=task["id"]) == [kept]
    gone = {"id": task["id"], "pushNotificationConfigId": "mine"}
    assert await guest.call("tasks/pushNotificationConfig/delete", **gone) is None
    assert await guest.call("tasks/pushNotificationConfig/list", id=task["id"]) == []


async def test_the_card_of_0_3(guest: Caller, ada_calls: Caller) -> None:
    for path in ("v0.3/.well-known/agent-card.json", "v0.3/.well-known/agent.json", ".well-known/agent.json"):
        found = await guest.client.get(f"{guest.address}/a2a/clerk/{path}")
        card = found.json()
        v03.AgentCard.model_validate(card)
        assert card["protocolVersion"] == "0.3.0" and card["preferredTransport"] == "JSONRPC"
        assert card["url"] == f"{guest.address}/a2a/clerk/" and "supportedInterfaces" not in card
        assert card["additionalInterfaces"] == [{"transport": "HTTP+JSON", "url": f"{guest.address}/a2a/clerk"}]
        assert card["securitySchemes"]["bearer"]["type"] == "http" and found.headers["etag"]

    ada_calls.headers["A2A-Version"] = "0.3"
    extended = await ada_calls.call("agent/getAuthenticatedExtendedCard")
    assert extended["name"] == "Clerk" and extended["url"] == card["url"]
    assert await guest.code("agent/getAuthenticatedExtendedCard") == -32000


async def test_errors_have_their_numbers(guest: Caller) -> None:
    assert await guest.code("tasks/get", id="nothing") == -32001
    assert await guest.code("tasks/get") == -32602
    assert await guest.code("message/send", message=legacy_message("x", parts=[])) == -32602
    assert await guest.code("message/send", message={"messageId": "m", "parts": 3}) == -32602
    assert await guest.code("tasks/list") == -32009  # 1.0 has it, and no version means 0.3


async def test_a_method_of_0_3_is_none_of_1_0(guest: Caller) -> None:
    found = await guest.rpc("message/send", message=legacy_message("x"), headers={"A2A-Version": "1.0"})

    assert found["error"]["code"] == -32601


async def test_others_have_no_part_in_it(ada_calls: Caller, mallory_calls: Caller) -> None:
    for caller in (ada_calls, mallory_calls):
        caller.headers["A2A-Version"] = "0.3"
    task = await ada_calls.call("message/send", message=legacy_message("say Hello."))

    assert await mallory_calls.code("tasks/get", id=task["id"]) == -32001


async def test_http_json_with_the_paths_of_1_0(guest: Caller) -> None:
    body = {"message": {"messageId": "m-1", "role": "ROLE_USER", "content": [{"text": "say Hello."}]}}
    sent = (await guest.rest("POST", "/message:send", json=body | {"configuration": {"blocking": True}})).json()

    task = sent["task"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert task["artifacts"][0]["parts"] == [{"text": "Hello."}]
    assert task["history"][0]["content"] == [{"text": "say Hello."}]
    assert (await guest.rest("GET", f"/tasks/{task['id']}")).json() == task
    assert (await guest.rest("GET", "/card")).status_code == 401


async def test_http_json_streams(guest: Caller) -> None:
    body = {"message": {"messageId": "m-1", "role": "ROLE_USER", "content": [{"text": "say Hello."}]}}
    address = f"{guest.address}/a2a/clerk/v1/message:stream"
    async with guest.client.stream("POST", address, json=body) as answer:
        seen = [data async for _, data in events(answer)]

    assert "task" in seen[0] and seen[-1]["statusUpdate"]["final"]


@pytest.mark.parametrize("shape", ["request", "configuration"])
async def test_http_json_push_configurations(guest: Caller, settings: Any, shape: str) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    task = await guest.call("message/send", message=legacy_message("say Hello."))
    path = f"/tasks/{task['id']}/pushNotificationConfigs"
    config = {"pushNotificationConfig": {"url": "http://127.0.0.1:9/"}}
    body = {"configId": "mine", "config": config} if shape == "request" else config

    kept = (await guest.rest("POST", path, json=body)).json()
    id = kept["pushNotificationConfig"]["id"]
    assert kept["name"] == f"tasks/{task['id']}/pushNotificationConfigs/{id}" and (id == "mine") == (shape == "request")
    assert (await guest.rest("GET", f"{path}/{id}")).json() == kept
    assert (await guest.rest("GET", path)).json() == {"configs": [kept]}
    assert (await guest.rest("DELETE", f"{path}/{id}")).status_code == 200
    assert (await guest.rest("GET", path)).json() == {}


async def test_http_json_errors_are_found_at_the_top(guest: Caller) -> None:
    found = await guest.rest("GET", "/tasks/nothing")

    assert found.status_code == 404
    assert found.json()["type"] == "TaskNotFoundError" and found.json()["code"] == -32001


async def test_who_forgot_the_version_is_told(guest: Caller) -> None:
    found = await guest.rest("POST", "/message:send", json={"message": a_message("say Hello.")})
    assert found.status_code == 400 and "A2A-Version" in found.json()["message"]

    for path in ("/tasks", "/extendedAgentCard"):
        assert (await guest.rest("GET", path)).json()["type"] == "VersionNotSupportedError"
    assert (await guest.rest("GET", "/nothing")).status_code == 404


async def test_a_token_that_is_none_is_refused(guest: Caller, ada: User) -> None:
    guest.headers["Authorization"] = "Bearer nonsense"

    assert (await guest.rest("GET", "/card")).status_code == 401
    assert (await guest.rpc("tasks/get", id="x"))["error"]["code"] == -32000


@pytest.mark.parametrize("how", ["in the message", "later"])
async def test_who_made_a_configuration_over_0_3_is_told_in_its_form(guest: Caller, settings: Any, how: str) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    work = asyncio.create_task(Sender().run())
    async with receive_notifications() as receiver:
        config = {"url": f"{receiver.url}/hook", "token": "t0ken"}
        said = legacy_message("wait 1\nsay Hello.")
        configuration = {"blocking": False} | ({"pushNotificationConfig": config} if how == "in the message" else {})
        task = await guest.call("message/send", message=said, configuration=configuration)
        if how == "later":
            params = {"taskId": task["id"], "pushNotificationConfig": config}
            await guest.call("tasks/pushNotificationConfig/set", **params)
        async with asyncio.timeout(20):
            while not (receiver.got and receiver.got[-1].body.get("status", {}).get("state") == "completed"):
                await asyncio.sleep(0.05)
        last = receiver.got[-1]
        v03.Task.model_validate(last.body)
        assert last.body["kind"] == "task" and last.body["id"] == task["id"]
        assert last.body["artifacts"][0]["parts"] == [{"kind": "text", "text": "Hello."}]
        assert last.headers["content-type"] == "application/json" and "a2a-version" not in last.headers
        assert last.headers["x-a2a-notification-token"] == "t0ken"
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
