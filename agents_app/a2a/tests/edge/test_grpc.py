"""gRPC as its wire is: a server in the test's loop, called by bare stubs. `tkr_chat/tests/a2a` has the official clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from a2a.compat.v0_3 import a2a_v0_3_pb2 as pb03
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.types import a2a_pb2 as pb
from a2a.types import a2a_pb2_grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2, status_pb2

from accounts.actions.api_tokens import make_token
from accounts.models import User
from agents_app import registry, runtime
from agents_app.a2a.grpc_call import address_of
from agents_app.a2a.grpc_server import CannotListen, make_server
from agents_app.a2a.tests.edge.conftest import Caller, a_message, texts
from agents_app.models import WireMessage
from agents_app.threads import in_thread

VERSION = ("a2a-version", "1.0")


@pytest.fixture
async def port(settings: Any) -> AsyncIterator[int]:
    settings.A2A_ANONYMOUS = "loopback"
    runtime.current().listen()
    server, port = make_server("127.0.0.1", 0)
    await server.start()
    yield port
    await server.stop(1)


@pytest.fixture
async def channel(port: int) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel


@pytest.fixture
def stub(channel: Any) -> Any:
    return a2a_pb2_grpc.A2AServiceStub(channel)


def a_send(text: str, tenant: str = "clerk", configuration: Any = None, **message: Any) -> pb.SendMessageRequest:
    json = {"tenant": tenant, "message": a_message(text, **message), "configuration": configuration or {}}
    return ParseDict(json, pb.SendMessageRequest())


async def sent(stub: Any, text: str, *metadata: tuple[str, str], **more: Any) -> Any:
    found = await stub.SendMessage(a_send(text, **more), metadata=(VERSION, *metadata))
    return MessageToDict(found)


async def error_of(call: Any) -> tuple[grpc.StatusCode, status_pb2.Status]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    trailing = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    assert status.message == caught.value.details() and status.code == caught.value.code().value[0]
    return caught.value.code(), status


def detail(status: status_pb2.Status, kind: Any) -> Any:
    [found] = [each for each in status.details if each.Is(kind.DESCRIPTOR)]
    unpacked = kind()
    found.Unpack(unpacked)
    return unpacked


async def test_it_works(stub: Any) -> None:
    task = (await sent(stub, "say Hello."))["task"]

    assert task["status"]["state"] == "TASK_STATE_COMPLETED" and texts(task) == ["Hello."]
    found = await stub.GetTask(pb.GetTaskRequest(tenant="clerk", id=task["id"]), metadata=(VERSION,))
    assert MessageToDict(found) == task


async def test_whole_numbers_stay_whole(stub: Any, guest: Caller) -> None:
    parts = [{"data": {"n": 42, "half": 0.5}}]
    task = (await sent(stub, "say Hello.", parts=[{"text": "say Hello."}, *parts]))["task"]

    [asked] = (await guest.call("GetTask", id=task["id"]))["history"]
    assert str(asked["parts"][1]["data"]) in ("{'n': 42, 'half': 0.5}", "{'half': 0.5, 'n': 42}")


async def test_the_agent_is_named_by_the_tenant_or_the_metadata(stub: Any) -> None:
    assert "message" in await sent(stub, "Hello!", tenant="parrot")
    assert "message" in await sent(stub, "Hello!", ("x-a2a-agent", "parrot"), tenant="")
    assert "message" in await sent(stub, "Hello!", ("x-a2a-agent", "parrot"), tenant="acme")
    code, status = await error_of(sent(stub, "Hello!", tenant="nobody"))
    assert code == grpc.StatusCode.NOT_FOUND and "nobody" in status.message


async def test_without_a_name_it_is_the_default_agent(stub: Any, ada: User) -> None:
    token = (await in_thread(make_token, ada, "a test"))[1]
    metadata = (VERSION, ("authorization", f"Bearer {token}"))
    card = await stub.GetExtendedAgentCard(pb.GetExtendedAgentCardRequest(), metadata=metadata)

    assert card.name == "Chloe"


async def test_who_has_no_token_gets_no_extended_card(stub: Any) -> None:
    code, _ = await error_of(stub.GetExtendedAgentCard(pb.GetExtendedAgentCardRequest(), metadata=(VERSION,)))
    assert code == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("body", [b"\xff" * 64, b"\x0a\x05ab", b"\x12\xff\xff\xff\xff\x0f", b"\x0a\x02\xc3\x28", b""])
@pytest.mark.parametrize("method", ["SendMessage", "SendStreamingMessage", "GetTask", "CancelTask", "SubscribeToTask"])
async def test_malformed_protobuf_is_refused_and_the_server_goes_on(channel: Any, stub: Any, method: str, body: bytes):
    path = f"/lf.a2a.v1.A2AService/{method}"
    if method in ("SendStreamingMessage", "SubscribeToTask"):
        call = channel.unary_stream(path)(body, metadata=(VERSION, ("x-a2a-agent", "clerk")))
        code, words = await _refusal(anext(aiter(call)))
    else:
        code, words = await _refusal(channel.unary_unary(path)(body, metadata=(VERSION, ("x-a2a-agent", "clerk"))))
    assert code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert "Traceback" not in words and "File" not in words
    assert texts((await sent(stub, "say Still here."))["task"]) == ["Still here."]


async def _refusal(call: Any) -> tuple[Any, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), refused.value.details() or ""


async def test_tenants_are_apart(stub: Any) -> None:
    task = (await sent(stub, "say Hello.", tenant="clerk/acme"))["task"]

    for tenant, there in (("clerk/acme", True), ("clerk", False), ("clerk/other", False)):
        listed = await stub.ListTasks(pb.ListTasksRequest(tenant=tenant), metadata=(VERSION,))
        assert (task["id"] in [each.id for each in listed.tasks]) == there


async def test_a_stream_begins_with_the_task_and_ends_with_it(stub: Any) -> None:
    call = stub.SendStreamingMessage(a_send("say Hello."), metadata=(VERSION,))
    seen = [MessageToDict(event) async for event in call]

    assert "task" in seen[0] and seen[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"


async def test_a_task_is_watched_and_stopped(stub: Any, guest: Caller) -> None:
    task = (await sent(stub, "wait 20", configuration={"returnImmediately": True}))["task"]
    watching = stub.SubscribeToTask(pb.SubscribeToTaskRequest(tenant="clerk", id=task["id"]), metadata=(VERSION,))
    assert (await watching.read()).task.id == task["id"]

    await guest.call("CancelTask", id=task["id"])

    assert (await watching.read()).status_update.status.state == pb.TaskState.TASK_STATE_CANCELED
    assert await watching.read() == grpc.aio.EOF


async def test_who_stops_reading_stops_nothing_else(stub: Any, guest: Caller) -> None:
    call = stub.SendStreamingMessage(a_send("wait 0.5\nsay Hello."), metadata=(VERSION,))
    task = (await call.read()).task
    call.cancel()

    assert texts(await guest.ended(task.id)) == ["Hello."]


async def test_push_configurations_keep_the_tenant_of_the_call(stub: Any, settings: Any) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]
    task = (await sent(stub, "say Hello."))["task"]
    config = pb.TaskPushNotificationConfig(tenant="clerk", task_id=task["id"], id="mine", url="http://127.0.0.1:9/")

    assert await stub.CreateTaskPushNotificationConfig(config, metadata=(VERSION,)) == config
    one = {"tenant": "clerk", "task_id": task["id"], "id": "mine"}
    assert (
        await stub.GetTaskPushNotificationConfig(pb.GetTaskPushNotificationConfigRequest(**one), metadata=(VERSION,))
        == config
    )
    listing = pb.ListTaskPushNotificationConfigsRequest(tenant="clerk", task_id=task["id"])
    assert list((await stub.ListTaskPushNotificationConfigs(listing, metadata=(VERSION,))).configs) == [config]
    await stub.DeleteTaskPushNotificationConfig(pb.DeleteTaskPushNotificationConfigRequest(**one), metadata=(VERSION,))
    assert not (await stub.ListTaskPushNotificationConfigs(listing, metadata=(VERSION,))).configs


async def test_errors_come_with_their_details(stub: Any) -> None:
    code, status = await error_of(stub.GetTask(pb.GetTaskRequest(tenant="clerk", id="mine"), metadata=(VERSION,)))
    info = detail(status, error_details_pb2.ErrorInfo)
    assert code == grpc.StatusCode.NOT_FOUND
    assert (info.reason, info.domain) == ("TASK_NOT_FOUND", "a2a-protocol.org") and info.metadata == {"taskId": "mine"}

    code, status = await error_of(sent(stub, "x", parts=[]))
    [violation] = detail(status, error_details_pb2.BadRequest).field_violations
    assert code == grpc.StatusCode.INVALID_ARGUMENT and violation.field == "message.parts"


@pytest.mark.parametrize("version", ["", "0.3", "1.7", "1", "2.0"])
async def test_another_version_is_refused(stub: Any, version: str) -> None:
    metadata = (("a2a-version", version),) if version else ()
    code, status = await error_of(stub.GetTask(pb.GetTaskRequest(tenant="clerk", id="x"), metadata=metadata))

    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert detail(status, error_details_pb2.ErrorInfo).reason == "VERSION_NOT_SUPPORTED"


async def test_tokens_count_and_others_have_no_part_in_it(stub: Any, ada: User, mallory: User) -> None:
    ada_calls, mallory_calls = [
        ("authorization", f"Bearer {(await in_thread(make_token, person, 'a test'))[1]}") for person in (ada, mallory)
    ]
    task = (await sent(stub, "say Hello.", ada_calls))["task"]
    request = pb.GetTaskRequest(tenant="clerk", id=task["id"])

    assert (await stub.GetTask(request, metadata=(VERSION, ada_calls))).id == task["id"]
    for foreign in ((VERSION, mallory_calls), (VERSION,)):
        assert (await error_of(stub.GetTask(request, metadata=foreign)))[0] == grpc.StatusCode.NOT_FOUND


async def test_a_token_that_is_none_is_refused(stub: Any) -> None:
    code, status = await error_of(sent(stub, "say Hello.", ("authorization", "Bearer nonsense")))

    assert code == grpc.StatusCode.UNAUTHENTICATED
    assert detail(status, error_details_pb2.ErrorInfo).reason == "UNAUTHENTICATED"


async def test_nobody_comes_in_without_a_token_when_that_is_off(stub: Any, settings: Any) -> None:
    settings.A2A_ANONYMOUS = "off"
    assert (await error_of(sent(stub, "say Hello.")))[0] == grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_does_only_what_it_is_for(stub: Any, ada: User) -> None:
    _, text = await in_thread(make_token, ada, "reads", scopes=["a2a:read"])

    code, _ = await error_of(sent(stub, "say Hello.", ("authorization", f"Bearer {text}")))
    assert code == grpc.StatusCode.PERMISSION_DENIED


async def test_too_many_calls_are_told_when_to_come_again(stub: Any, settings: Any) -> None:
    settings.A2A_RATE_PER_MINUTE = 1
    await sent(stub, "say Hello.")

    code, status = await error_of(sent(stub, "say Hello."))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 1 <= detail(status, error_details_pb2.RetryInfo).retry_delay.seconds <= 60


async def test_open_streams_have_a_limit(stub: Any, settings: Any) -> None:
    settings.A2A_MAX_STREAMS = 1
    first = stub.SendStreamingMessage(a_send("wait 5"), metadata=(VERSION,))
    await first.read()

    second = stub.SendStreamingMessage(a_send("say Hello."), metadata=(VERSION,))
    assert (await error_of(second.read()))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
    first.cancel()


async def test_an_extension_that_an_agent_needs_must_be_named(stub: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(type(registry.agents()["clerk"]), "required_extensions", ("urn:needed",), raising=False)
    code, status = await error_of(sent(stub, "say Hello."))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert detail(status, error_details_pb2.ErrorInfo).reason == "EXTENSION_SUPPORT_REQUIRED"

    assert "task" in await sent(stub, "say Hello.", ("a2a-extensions", "urn:other, urn:needed"))


async def test_what_goes_wrong_inside_stays_inside(stub: Any, monkeypatch: Any) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr("agents_app.a2a.operations.Operations.get_task", broken)
    code, status = await error_of(stub.GetTask(pb.GetTaskRequest(tenant="clerk", id="x"), metadata=(VERSION,)))

    assert code == grpc.StatusCode.INTERNAL and "42" not in str(status)


async def test_every_call_is_in_the_wire_log(stub: Any) -> None:
    task = (await sent(stub, "say Hello."))["task"]
    async for _ in stub.SendStreamingMessage(a_send("say Hello."), metadata=(VERSION,)):
        pass
    await error_of(stub.GetTask(pb.GetTaskRequest(tenant="clerk", id="x"), metadata=(VERSION,)))

    rows: dict[tuple[str, int | None], WireMessage] = {}
    async with asyncio.timeout(10):  # they are saved together, a moment after the calls
        while set(rows) != {("SendMessage", 200), ("SendStreamingMessage", 200), ("GetTask", 404)}:
            await asyncio.sleep(0.05)
            rows = {(row.operation, row.status): row async for row in WireMessage.objects.filter(binding="GRPC")}
    row = rows["SendMessage", 200]
    assert str(row.task_id) == task["id"] and row.agent_id == "clerk" and "say Hello." in row.request_body
    assert rows["SendStreamingMessage", 200].task_id and "\n" in rows["SendStreamingMessage", 200].response_body


async def test_0_3_reaches_the_default_agent_or_the_one_in_the_metadata(channel: Any, ada: User) -> None:
    legacy = a2a_v0_3_pb2_grpc.A2AServiceStub(channel)
    message = pb03.Message(message_id="m-1", role=pb03.ROLE_USER, content=[pb03.Part(text="say Hello.")])
    request = pb03.SendMessageRequest(request=message)

    found = await legacy.SendMessage(request, metadata=(("x-a2a-agent", "clerk"),))
    assert found.task.artifacts[0].parts[0].text == "Hello."
    token = (await in_thread(make_token, ada, "a test"))[1]
    metadata = (("authorization", f"Bearer {token}"),)
    assert (await legacy.GetAgentCard(pb03.GetAgentCardRequest(), metadata=metadata)).name == "Chloe"
    with pytest.raises(grpc.aio.AioRpcError, match="TaskNotFoundError: "):
        await legacy.GetTask(pb03.GetTaskRequest(name="tasks/mine"))
    with pytest.raises(grpc.aio.AioRpcError, match="InvalidParamsError: "):
        await legacy.GetTask(pb03.GetTaskRequest(name="mine"))
    with pytest.raises(grpc.aio.AioRpcError, match="InvalidParamsError: "):
        await legacy.SendMessage(pb03.SendMessageRequest(request=pb03.Message(content=[pb03.Part()])))
    with pytest.raises(grpc.aio.AioRpcError, match="VersionNotSupportedError: "):
        await legacy.GetTask(pb03.GetTaskRequest(name="tasks/mine"), metadata=(VERSION,))


async def test_a_port_that_is_taken_is_said(port: int) -> None:
    with pytest.raises(CannotListen):
        make_server("127.0.0.1", port)


def test_peers_have_addresses() -> None:
    assert address_of("ipv4:127.0.0.1:50000") == "127.0.0.1"
    assert address_of("ipv6:%5B::1%5D:50000") == address_of("ipv6:[::1]:50000") == "::1"
    assert address_of("unix:/run/socket") == ""
