"""`serve` and `rungrpc` are two processes: what one runs is watched, stopped and answered through the other."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from a2a.client.client import Client
from a2a.client.errors import A2AClientError
from a2a.types import a2a_pb2 as pb

from tkr_chat.tests.a2a.conftest import BINDINGS, VERSIONS, Clients, open_client
from tkr_chat.tests.a2a.site import Site
from tkr_chat.tests.a2a.test_python_client import a_request, texts

REVOKE = (
    "from accounts.models import ApiToken; from accounts.actions.api_tokens import revoke_token; "
    "print(*[revoke_token(token) for token in ApiToken.objects.filter(user__username='{name}')])"
)
STOP_SECONDS = 2.0  # a stop arrives within a second, wherever the task runs


@pytest.fixture(params=[("JSONRPC", "GRPC"), ("GRPC", "JSONRPC")], ids=["from serve", "from rungrpc"])
async def here_and_there(request: pytest.FixtureRequest, http: httpx.AsyncClient, home: Site) -> tuple[Client, Client]:
    """Where a task begins, and the other process."""
    here, there = request.param
    return await open_client(http, home.card_url(), here), await open_client(http, home.card_url(), there)


async def begun(client: Client, text: str) -> tuple[pb.Task, asyncio.Task[list[pb.StreamResponse]]]:
    stream = client.send_message(a_request(text))
    task = (await anext(stream)).task
    return task, asyncio.create_task(_rest(stream))


async def _rest(stream: object) -> list[pb.StreamResponse]:
    return [event async for event in stream]  # type: ignore[attr-defined]


async def test_it_works(here_and_there: tuple[Client, Client]) -> None:
    """Watched from the other process: every event, in order, and the end."""
    here, there = here_and_there
    task, rest = await begun(here, "wait 0.5\nsay Hello.\nchunks 3")
    watched = [event async for event in there.subscribe(pb.SubscribeToTaskRequest(id=task.id))]

    assert watched[0].task.id == task.id
    assert watched[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    text = "".join(part.text for event in watched for part in event.artifact_update.artifact.parts)
    told = "".join(part.text for part in _parts(watched[0].task)) + text
    assert told == "Hello.012" and len(await rest) >= 4


def _parts(task: pb.Task) -> list[pb.Part]:
    return [part for artifact in task.artifacts for part in artifact.parts]


async def test_stopped_from_the_other_process(here_and_there: tuple[Client, Client]) -> None:
    here, there = here_and_there
    task, rest = await begun(here, "wait 20")
    await asyncio.sleep(0.2)

    begin = time.monotonic()
    stopped = await there.cancel_task(pb.CancelTaskRequest(id=task.id))

    assert stopped.status.state == pb.TASK_STATE_CANCELED and time.monotonic() - begin < STOP_SECONDS
    assert (await rest)[-1].status_update.status.state == pb.TASK_STATE_CANCELED


async def test_answered_in_the_other_process(here_and_there: tuple[Client, Client]) -> None:
    here, there = here_and_there
    task, rest = await begun(here, "ask Your name?")
    assert (await rest)[-1].status_update.status.state == pb.TASK_STATE_INPUT_REQUIRED
    watching = here.subscribe(pb.SubscribeToTaskRequest(id=task.id))
    await anext(watching)

    seen = [event async for event in there.send_message(a_request("Ada", task_id=task.id))]

    assert seen[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    assert (await _rest(watching))[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    assert texts(await here.get_task(pb.GetTaskRequest(id=task.id))) == ["You said Ada."]


async def test_waits_behind_a_task_of_the_other_process(
    here_and_there: tuple[Client, Client], http: httpx.AsyncClient, home: Site
) -> None:
    """One task of an agent at a time in one conversation, whoever runs it; who waits for the second hears of its end."""
    here, there = here_and_there
    context = f"queue {time.monotonic()}"
    stream = here.send_message(a_request("wait 1\nsay first", context_id=context))
    await anext(stream)
    second = [event async for event in there.send_message(a_request("say second", context_id=context))]

    first = await _rest(stream)
    assert first[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    assert second[-1].status_update.status.state == pb.TASK_STATE_COMPLETED
    ended = [events[-1].status_update.status.timestamp.ToDatetime() for events in (first, second)]
    assert ended[0] < ended[1]


async def test_streams_end_everywhere_when_their_token_is_revoked(http: httpx.AsyncClient, home: Site) -> None:
    """In each binding and version; the task goes on."""
    secret = home.token("grace")
    opened = [Clients(http, home, binding, version, secret) for version in VERSIONS for binding in BINDINGS]
    begun = await (await opened[0].open()).send_message(a_request("wait 300")).__anext__()
    streams = [(await clients.open()).subscribe(pb.SubscribeToTaskRequest(id=begun.task.id)) for clients in opened]
    for stream in streams:
        await anext(stream)
    rest = [asyncio.create_task(_rest(stream)) for stream in streams]

    await asyncio.to_thread(home.shell, REVOKE.format(name="grace"))
    ends = await asyncio.wait_for(asyncio.gather(*rest, return_exceptions=True), 10)

    assert [isinstance(end, A2AClientError) and "token" in str(end) for end in ends] == [True] * 6, ends
    state = "from agents_app.models import Task; print(Task.objects.get(id='{id}').state)"
    assert await asyncio.to_thread(home.shell, state.format(id=begun.task.id)) == "working"
    for clients in opened:
        await clients.close()
