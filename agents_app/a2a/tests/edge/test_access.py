from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.utils import timezone

from accounts.actions.api_tokens import make_token, revoke_token
from accounts.models import ApiToken, User
from agents_app import runtime
from agents_app.a2a import caller as callers
from agents_app.a2a.tests.edge.conftest import Caller, a_message, texts
from agents_app.actions.tasks import TaskWrites, begin_task
from agents_app.ids import uuid7
from agents_app.models import JournalHead, Message, Task, TaskState
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry
from agents_app.threads import in_thread

NOT_FOUND = -32001
NOBODYS = "01a20891-c371-706c-ba8c-560939f9374d"  # an id that no task has


async def a_token(user: User, **limits: Any) -> Any:
    return await in_thread(make_token, user, "a test", **limits)


@pytest.fixture
async def task(ada_calls: Caller) -> Any:
    """Ada's, waiting for an answer, with a push configuration."""
    return await ada_calls.task("ask Your name?")


OPERATIONS = [
    ("GetTask", {"id": "{id}"}),
    ("CancelTask", {"id": "{id}"}),
    ("SubscribeToTask", {"id": "{id}"}),
    ("SendMessage", {"message": a_message("Mallory", taskId="{id}")}),
    ("SendStreamingMessage", {"message": a_message("Mallory", taskId="{id}")}),
    ("CreateTaskPushNotificationConfig", {"taskId": "{id}", "url": "https://example.com/"}),
    ("GetTaskPushNotificationConfig", {"taskId": "{id}", "id": "one"}),
    ("ListTaskPushNotificationConfigs", {"taskId": "{id}"}),
    ("DeleteTaskPushNotificationConfig", {"taskId": "{id}", "id": "one"}),
]


def filled(params: Any, task_id: str) -> Any:
    if isinstance(params, dict):
        return {name: filled(value, task_id) for name, value in params.items()}
    return task_id if params == "{id}" else params


@pytest.mark.parametrize(("method", "params"), OPERATIONS, ids=[method for method, _ in OPERATIONS])
async def test_what_is_somebody_elses_does_not_exist(
    mallory_calls: Caller, guest: Caller, task: Any, method: str, params: Any
) -> None:
    for caller in (mallory_calls, guest):
        theirs = await caller.rpc(method, **filled(params, task["id"]))
        nobodys = await caller.rpc(method, **filled(params, NOBODYS))
        assert str(theirs).replace(task["id"], NOBODYS) == str(nobodys) and theirs["error"]["code"] == NOT_FOUND


@pytest.mark.parametrize(("method", "params"), OPERATIONS, ids=[method for method, _ in OPERATIONS])
async def test_another_tenant_is_another_world(ada_calls: Caller, task: Any, method: str, params: Any) -> None:
    assert await ada_calls.code(method, tenant="acme", **filled(params, task["id"])) == NOT_FOUND


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("GetTask", {"id": NOBODYS, "historyLength": -1}, "historyLength"),
        ("CreateTaskPushNotificationConfig", {"taskId": NOBODYS}, "url"),
        ("GetTaskPushNotificationConfig", {"taskId": NOBODYS}, "id"),
        ("ListTaskPushNotificationConfigs", {"taskId": NOBODYS, "pageSize": 101}, "pageSize"),
        ("DeleteTaskPushNotificationConfig", {"taskId": NOBODYS}, "id"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_looked_up(
    guest: Caller, method: str, params: Any, field: str
) -> None:
    error = (await guest.rpc(method, **params))["error"]

    assert error["code"] == -32602
    assert error["data"][1]["fieldViolations"][0]["field"] == field


async def test_another_agent_knows_nothing_of_it(ada_calls: Caller, task: Any) -> None:
    assert await ada_calls.code("GetTask", agent="parrot", id=task["id"]) == NOT_FOUND


async def test_lists_hold_ones_own(ada_calls: Caller, mallory_calls: Caller, task: Any) -> None:
    assert [found["id"] for found in (await ada_calls.call("ListTasks"))["tasks"]] == [task["id"]]
    for caller, params in ((mallory_calls, {}), (mallory_calls, {"contextId": task["contextId"]})):
        assert (await caller.call("ListTasks", **params))["totalSize"] == 0
    assert (await ada_calls.call("ListTasks", tenant="acme"))["tasks"] == []


async def test_somebody_elses_context_is_a_new_one(ada_calls: Caller, mallory_calls: Caller, task: Any) -> None:
    """The name is theirs to choose, and says nothing about who else chose it."""
    other = await mallory_calls.task("say hi", contextId=task["contextId"])

    rows = [await Task.objects.aget(id=found["id"]) for found in (task, other)]
    assert other["contextId"] == task["contextId"] and rows[0].context_id != rows[1].context_id


async def test_a_token_of_a_tenant_stays_in_it(server: str, client: Any, ada: User) -> None:
    caller = Caller(client, server, (await a_token(ada, tenant="acme"))[1])

    task = await caller.task("say Hello.")
    assert (await Task.objects.aget(id=task["id"])).tenant == "acme"
    refused = await caller.rpc("GetTask", id=task["id"], tenant="other")
    assert refused["error"]["data"][0]["reason"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("a2a:send", {"SendMessage"}), ("a2a:read", {"ListTasks"}), ("a2a:push", set()), ("api", set())],
)
async def test_a_token_does_what_its_scopes_say(server: str, client: Any, ada: User, scope: str, allowed: set) -> None:
    caller = Caller(client, server, (await a_token(ada, scopes=[scope]))[1])

    for method, params in (("SendMessage", {"message": a_message("say hi")}), ("ListTasks", {})):
        found = await caller.rpc(method, **params)
        assert ("result" in found) == (method in allowed), found
        assert "result" in found or found["error"]["data"][0]["reason"] == "FORBIDDEN"


async def test_a_token_calls_its_agents(server: str, client: Any, ada: User) -> None:
    caller = Caller(client, server, (await a_token(ada, agents=["parrot"]))[1])

    assert (await caller.send("hi", agent="parrot"))["message"]
    assert "not for this agent" in (await caller.rpc("ListTasks"))["error"]["message"]


async def test_a_revoked_token_is_known_no_more(server: str, client: Any, ada: User) -> None:
    token, text = await a_token(ada)
    caller = Caller(client, server, text)
    await caller.call("ListTasks")

    await in_thread(revoke_token, token)
    callers.forget()  # it is remembered for a second

    answer = await caller.rest("GET", "/tasks")
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("loss", ["revoked", "disabled", "fewer scopes", "expired"])
async def test_a_stream_ends_when_its_token_does(
    server: str, client: Any, ada: User, ada_calls: Caller, guest: Caller, loss: str
) -> None:
    token, text = await a_token(ada)
    task = await ada_calls.task("wait 20", configuration={"returnImmediately": True})
    other = await guest.task("wait 20", configuration={"returnImmediately": True})
    guests = guest.stream("SubscribeToTask", id=other["id"])
    watching = Caller(client, server, text).stream("SubscribeToTask", id=task["id"])
    await anext(guests), await anext(watching)

    changes = {
        "revoked": {"revoked_at": timezone.now()},
        "expired": {"expires_at": timezone.now()},
        "fewer scopes": {"scopes": ["a2a:send"]},
    }
    if loss == "disabled":
        await User.objects.filter(id=ada.id).aupdate(is_active=False)
    else:
        await ApiToken.objects.filter(id=token.id).aupdate(**changes[loss])
    async with asyncio.timeout(10):
        *_, last = [event async for _, event in watching]

    assert last["error"]["data"][0]["reason"] == "UNAUTHENTICATED"
    assert (await Task.objects.aget(id=task["id"])).state == TaskState.WORKING
    await guest.call("CancelTask", id=other["id"])
    assert "CANCELED" in str([event async for event in guests][-1])  # nobody else's stream was ended


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YWRhOnB3", "Bearer", "nonsense"])
async def test_a_wrong_token_is_refused_even_where_none_is_needed(guest: Caller, header: str) -> None:
    answer = await guest.rest("GET", "/tasks", headers={"Authorization": header})

    assert answer.status_code == 401 and answer.json()["error"]["status"] == "UNAUTHENTICATED"


async def test_without_a_token_nobody_is_let_in_unless_a_setting_says_so(guest: Caller, settings: Any) -> None:
    settings.A2A_ANONYMOUS = "off"
    assert (await guest.rest("GET", "/tasks")).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_proxy_on_this_machine_is_not_this_machine(guest: Caller, header: str) -> None:
    answer = await guest.rest("GET", "/tasks", headers={header: "127.0.0.1"})

    assert answer.status_code == 401


async def test_another_host_name_is_refused(guest: Caller) -> None:
    answer = await guest.rest("GET", "/tasks", headers={"Host": "evil.example"})

    assert answer.status_code == 404


async def test_a_page_elsewhere_cannot_send_a_form(guest: Caller) -> None:
    answer = await guest.client.post(
        f"{guest.address}/a2a/clerk/", content=b"{}", headers={"Content-Type": "text/plain", "A2A-Version": "1.0"}
    )
    assert answer.status_code == 415


async def test_a_persons_task_is_read_by_its_owner(ada_calls: Caller, mallory_calls: Caller, ada: User) -> None:
    """Begun in a room of the chat, read over A2A."""
    room, current = uuid7(), runtime.current()
    request = Message(context_id=room, role=Message.Role.USER, user=ada, text="say Hello.", created_at=timezone.now())
    writes = TaskWrites(new=[request], facts=[created_fact(request)])
    task = begin_task(writes, request, "clerk", ada.id)
    settled = current.when_settled(task.id)
    await current.journal.append(Entry(room, writes.facts, writes.new, opens=JournalHead(context_id=room, owner=ada)))
    current.queue.put(task.id)
    await settled

    [listed] = (await ada_calls.call("ListTasks", contextId=str(room)))["tasks"]
    found = await ada_calls.call("GetTask", id=listed["id"])
    assert found["contextId"] == str(room) and texts(found) == ["Hello."]
    assert await mallory_calls.code("GetTask", id=listed["id"]) == NOT_FOUND
