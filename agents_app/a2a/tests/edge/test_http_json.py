from __future__ import annotations

from typing import Any

import pytest

from agents_app import allowance
from agents_app.a2a.tests.edge.conftest import Caller, a_message, events, texts


async def test_it_works(guest: Caller) -> None:
    answer = await guest.rest("POST", "/message:send", json={"message": a_message("say Hello.")})

    assert answer.status_code == 200 and answer.headers["content-type"] == "application/a2a+json"
    task = answer.json()["task"]
    assert texts(task) == ["Hello."]
    assert (await guest.rest("GET", f"/tasks/{task['id']}")).json() == task


async def test_streams_are_bare(guest: Caller) -> None:
    address = f"{guest.address}/a2a/clerk/v1/message:stream"
    body = {"message": a_message("say Hello.")}
    async with guest.client.stream("POST", address, json=body, headers=guest.headers) as answer:
        found = [event async for _, event in events(answer)]

    assert list(found[0]) == ["task"] and list(found[-1]) == ["statusUpdate"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_subscribing_works_with_either_verb(guest: Caller, method: str) -> None:
    body = {"message": a_message("wait 1\nsay Hello."), "configuration": {"returnImmediately": True}}
    task = (await guest.rest("POST", "/message:send", json=body)).json()["task"]

    address = f"{guest.address}/a2a/clerk/v1/tasks/{task['id']}:subscribe"
    async with guest.client.stream(method, address, headers=guest.headers) as answer:
        found = [event async for _, event in events(answer)]
    assert found[0]["task"]["id"] == task["id"] and len(found) > 1


async def test_a_task_is_stopped_without_a_body(guest: Caller) -> None:
    body = {"message": a_message("wait 30"), "configuration": {"returnImmediately": True}}
    task = (await guest.rest("POST", "/message:send", json=body)).json()["task"]
    headers = {"Content-Type": "application/json"}

    answer = await guest.rest("POST", f"/tasks/{task['id']}:cancel", headers=headers)

    assert answer.json()["status"]["state"] == "TASK_STATE_CANCELED"


async def test_the_tenant_is_in_the_path(ada_calls: Caller) -> None:
    body = {"message": a_message("say Hello.")}
    task = (await ada_calls.rest("POST", "/acme/message:send", json=body)).json()["task"]

    assert (await ada_calls.rest("GET", f"/acme/tasks/{task['id']}")).status_code == 200
    assert (await ada_calls.rest("GET", f"/tasks/{task['id']}")).status_code == 404
    differs = await ada_calls.rest("POST", "/acme/message:send", json={**body, "tenant": "other"})
    assert differs.status_code == 400


async def test_who_knows_only_the_plain_type_gets_it(guest: Caller) -> None:
    answer = await guest.rest("GET", "/tasks", headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"


async def test_push_configurations_come_and_go(guest: Caller, settings: Any) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    task = await guest.task("say Hello.")
    path = f"/tasks/{task['id']}/pushNotificationConfigs"
    made = (await guest.rest("POST", path, json={"url": "http://127.0.0.1:9/hook", "token": "t"})).json()

    assert made["id"] and made["taskId"] == task["id"]
    assert (await guest.rest("GET", f"{path}/{made['id']}")).json() == made
    assert (await guest.rest("GET", path)).json()["configs"] == [made]
    for _ in range(2):
        assert (await guest.rest("DELETE", f"{path}/{made['id']}")).json() == {}
    assert (await guest.rest("GET", f"{path}/{made['id']}")).status_code == 404


async def test_errors_say_what_and_where(guest: Caller) -> None:
    answer = await guest.rest("GET", "/tasks?pageSize=0")

    error = answer.json()["error"]
    assert answer.status_code == 400 and (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["reason"] == "INVALID_PARAMS" and error["details"][0]["domain"] == "a2a-protocol.org"
    assert error["details"][1]["fieldViolations"][0]["field"] == "pageSize"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/message:send", 405), ("GET", "/tasks/nobody", 404), ("PUT", "/tasks", 405)],
)
async def test_wrong_addresses_are_named(guest: Caller, method: str, path: str, status: int) -> None:
    answer = await guest.rest(method, path)

    assert answer.status_code == status and answer.json()["error"]["message"]


@pytest.mark.parametrize("version", ["2.0", "1.7", "1", "nonsense"])
async def test_other_versions_are_refused(guest: Caller, version: str) -> None:
    answer = await guest.rest("GET", "/tasks", headers={"A2A-Version": version})

    assert answer.json()["error"]["details"][0]["reason"] == "VERSION_NOT_SUPPORTED"


async def test_the_version_may_stand_in_the_query_and_have_a_patch(guest: Caller) -> None:
    answer = await guest.client.get(f"{guest.address}/a2a/clerk/v1/tasks?A2A-Version=1.0.1")

    assert answer.status_code == 200


async def test_lists_come_in_pages_newest_first(guest: Caller) -> None:
    made = [(await guest.task(f"say {number}"))["id"] for number in range(5)]
    token, seen, sizes = "", [], []
    for _ in range(5):
        page = (await guest.rest("GET", f"/tasks?pageSize=2&pageToken={token}&historyLength=0")).json()
        seen += [task["id"] for task in page["tasks"]]
        sizes.append(page["totalSize"])
        assert all("artifacts" not in task and "history" not in task for task in page["tasks"])
        token = page["nextPageToken"]
        if not token:
            break

    assert seen == made[::-1] and set(sizes) == {5}
    assert (await guest.rest("GET", "/tasks?pageToken=nonsense")).status_code == 400


async def test_lists_are_filtered(guest: Caller) -> None:
    done = await guest.task("say one", contextId="first")
    waiting = await guest.task("ask One?")

    async def listed(query: str) -> list[str]:
        return [task["id"] for task in (await guest.rest("GET", f"/tasks?{query}")).json()["tasks"]]

    assert await listed("contextId=first") == [done["id"]]
    assert await listed("status=TASK_STATE_INPUT_REQUIRED") == [waiting["id"]]
    assert await listed(f"statusTimestampAfter={waiting['status']['timestamp']}") == [waiting["id"]]
    assert (await guest.rest("GET", "/tasks?status=TASK_STATE_NONSENSE")).status_code == 400
    with_artifacts = (await guest.rest("GET", "/tasks?includeArtifacts=true")).json()["tasks"]
    assert [len(task["artifacts"]) for task in with_artifacts] == [0, 1]


async def test_both_bindings_say_the_same(ada_calls: Caller) -> None:
    guest = ada_calls
    task = await guest.task("say Hello.\ndata {}")

    for method, path, params in (
        ("GetTask", f"/tasks/{task['id']}", {"id": task["id"]}),
        ("ListTasks", "/tasks", {}),
        ("GetExtendedAgentCard", "/extendedAgentCard", {}),
    ):
        assert await guest.call(method, **params) == (await guest.rest("GET", path)).json()


async def test_too_much_is_refused(guest: Caller, settings: Any) -> None:
    settings.A2A_MAX_BODY_BYTES, settings.A2A_MAX_PARTS = 5000, 3
    large = await guest.rest("POST", "/message:send", json={"message": a_message("x" * 6000)})
    assert large.status_code == 413 and large.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    many = {"message": a_message("") | {"parts": [{"text": "x"}] * 4}}
    assert (await guest.rest("POST", "/message:send", json=many)).status_code == 400


async def test_too_often_is_refused_with_a_time_to_come_again(guest: Caller, settings: Any) -> None:
    settings.A2A_RATE_PER_MINUTE = 3
    answers = [await guest.rest("GET", "/tasks") for _ in range(8)]

    refused = answers[-1]
    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 60
    rpc = await guest.rpc("ListTasks")
    assert rpc["error"]["data"][0]["reason"] == "RATE_LIMITED"


async def test_who_has_used_up_the_day_is_refused_until_tomorrow(guest: Caller, settings: Any) -> None:
    settings.DAILY_MESSAGES = 1
    allowance.forget()
    body = {"message": a_message("say Hello.")}

    assert (await guest.rest("POST", "/message:send", json=body)).status_code == 200
    refused = await guest.rest("POST", "/message:send", json=body)

    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 24 * 3600
    assert "all 1 messages of today" in refused.json()["error"]["message"]
    allowance.forget()


async def test_open_streams_are_counted(guest: Caller, settings: Any) -> None:
    settings.A2A_MAX_STREAMS = 1
    task = await guest.task("ask One?")
    async for _ in guest.stream("SubscribeToTask", id=task["id"]):
        refused = await guest.rpc("SubscribeToTask", id=task["id"])
        assert refused["error"]["data"][0]["reason"] == "RATE_LIMITED"
        break
