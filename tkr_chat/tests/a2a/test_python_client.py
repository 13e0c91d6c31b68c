"""The official Python client does everything it can, in each binding and version, anonymous and with a token."""

from __future__ import annotations

from typing import Any

import pytest
from a2a.client.client import Client
from a2a.client.errors import A2AClientError
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import (
    A2AError,
    InvalidParamsError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from google.protobuf.json_format import MessageToDict

from tkr_chat.tests.a2a.conftest import Clients

NEVER = "01a20891-c371-706c-ba8c-560939f9374d"  # an id that no task has


def a_request(text: str, *, wait: bool = True, **message: Any) -> pb.SendMessageRequest:
    configuration = pb.SendMessageConfiguration(return_immediately=not wait)
    said = pb.Message(message_id="m-1", role=pb.ROLE_USER, parts=[pb.Part(text=text)], **message)
    return pb.SendMessageRequest(message=said, configuration=configuration)


async def sent(clients: Clients, text: str, **more: Any) -> pb.Task:
    client = await clients.open(streaming=False)
    [answer] = [each async for each in client.send_message(a_request(text, **more))]
    return answer.task


def texts(task: pb.Task) -> list[str]:
    return ["".join(part.text for part in artifact.parts) for artifact in task.artifacts]


async def test_it_works(clients: Clients) -> None:
    task = await sent(clients, "say Hello.")

    assert task.status.state == pb.TASK_STATE_COMPLETED and texts(task) == ["Hello."]
    assert [message.parts[0].text for message in task.history] == ["say Hello."]


async def test_a_task_is_got(clients: Clients, client: Client) -> None:
    task = await sent(clients, 'say Hello.\ndata {"n": 42}\nfile Hi!')
    found = await client.get_task(pb.GetTaskRequest(id=task.id))

    assert found == task
    assert MessageToDict(found.artifacts[1].parts[0])["data"] == {"n": 42}
    assert (found.artifacts[2].parts[0].raw, found.artifacts[2].parts[0].filename) == (b"Hi!", "a.txt")


async def test_a_stream_tells_everything(client: Client) -> None:
    seen = [event async for event in client.send_message(a_request("say Hello.\nchunks 3"))]

    assert seen[0].HasField("task") and seen[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    pieces = [event.artifact_update for event in seen if event.HasField("artifact_update")]
    assert "".join(part.text for piece in pieces for part in piece.artifact.parts) == "Hello.012"
    assert pieces[-1].last_chunk and pieces[-1].append


async def test_a_question_is_answered(client: Client) -> None:
    asked = [event async for event in client.send_message(a_request("ask Your name?"))]
    assert asked[-1].status_update.status.state == pb.TASK_STATE_INPUT_REQUIRED
    assert asked[-1].status_update.status.message.parts[0].text == "Your name?"

    task = asked[0].task
    done = [event async for event in client.send_message(a_request("Ada", task_id=task.id))]
    assert done[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    assert texts(await client.get_task(pb.GetTaskRequest(id=task.id))) == ["You said Ada."]


async def test_a_task_is_watched_and_stopped(clients: Clients, client: Client) -> None:
    task = await sent(clients, "wait 20", wait=False)
    watching = client.subscribe(pb.SubscribeToTaskRequest(id=task.id))
    assert (await anext(watching)).task.id == task.id

    stopped = await client.cancel_task(pb.CancelTaskRequest(id=task.id))

    assert stopped.status.state == pb.TASK_STATE_CANCELED
    assert [event async for event in watching][-1].status_update.status.state == pb.TASK_STATE_CANCELED
    with pytest.raises(TaskNotCancelableError):
        await client.cancel_task(pb.CancelTaskRequest(id=task.id))
    with pytest.raises(UnsupportedOperationError):
        await anext(client.subscribe(pb.SubscribeToTaskRequest(id=task.id)))


async def test_tasks_are_listed(clients: Clients, client: Client) -> None:
    if clients.version == "0.3":
        with pytest.raises(NotImplementedError):  # 0.3 has no such thing
            await client.list_tasks(pb.ListTasksRequest())
        return
    tasks = [await sent(clients, f"say {number}", context_id=f"list {NEVER}") for number in range(3)]
    request = pb.ListTasksRequest(context_id=f"list {NEVER}", page_size=2)
    first = await client.list_tasks(request)
    assert first.tasks[0].id == tasks[-1].id and first.page_size == 2 and not first.tasks[0].artifacts

    request.page_token = first.next_page_token
    rest = await client.list_tasks(request)
    assert len({task.id for task in [*first.tasks, *rest.tasks]}) >= 3


async def test_push_configurations(clients: Clients, client: Client) -> None:
    task = await sent(clients, "say Hello.")
    authentication = pb.AuthenticationInfo(scheme="Bearer", credentials="c")
    config = pb.TaskPushNotificationConfig(
        task_id=task.id, id="mine", url="http://127.0.0.1:9/", token="t", authentication=authentication
    )
    kept = await client.create_task_push_notification_config(config)
    kept.ClearField("tenant")
    config.ClearField("tenant")  # the client wrote it, from the card
    assert kept == config

    found = await client.get_task_push_notification_config(
        pb.GetTaskPushNotificationConfigRequest(task_id=task.id, id="mine")
    )
    assert found.url == config.url
    if (clients.binding, clients.version) == ("HTTP+JSON", "0.3"):  # there the client can do no more
        return
    listing = pb.ListTaskPushNotificationConfigsRequest(task_id=task.id)
    assert [each.id for each in (await client.list_task_push_notification_configs(listing)).configs] == ["mine"]
    await client.delete_task_push_notification_config(
        pb.DeleteTaskPushNotificationConfigRequest(task_id=task.id, id="mine")
    )
    assert not (await client.list_task_push_notification_configs(listing)).configs


async def test_the_extended_card(client: Client, secret: str) -> None:
    if not secret:
        with pytest.raises((A2AError, A2AClientError)):
            await client.get_extended_agent_card(pb.GetExtendedAgentCardRequest())
        return
    card = await client.get_extended_agent_card(pb.GetExtendedAgentCardRequest())

    assert card.name == "Clerk"
    assert "ada" in card.security_schemes["bearer"].http_auth_security_scheme.description


async def test_errors_have_their_classes(clients: Clients, client: Client) -> None:
    with pytest.raises(TaskNotFoundError):
        await client.get_task(pb.GetTaskRequest(id=NEVER))
    with pytest.raises(TaskNotFoundError):
        await sent(clients, "x", task_id=NEVER)
    done = await sent(clients, "say Hello.")
    with pytest.raises(UnsupportedOperationError):
        await sent(clients, "more", task_id=done.id)
    waiting = await sent(clients, "ask One?")
    with pytest.raises(InvalidParamsError):
        await sent(clients, "1", task_id=waiting.id, context_id="another")
