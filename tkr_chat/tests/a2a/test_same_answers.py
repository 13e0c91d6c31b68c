"""The same call gives the same answer in each binding: JSON-RPC, HTTP+JSON and gRPC."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import grpc
import httpx
import pytest
from a2a.types import a2a_pb2 as pb
from a2a.types.a2a_pb2_grpc import A2AServiceStub
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2, status_pb2

from tkr_chat.tests.a2a.site import Site

NEVER = "01a20891-c371-706c-ba8c-560939f9374d"  # an id that no task has
DETAILS = (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest)  # their names are known now
CONFIGS = "/tasks/{taskId}/pushNotificationConfigs"
CALLS = {
    "SendMessage": ("POST", "/message:send", pb.SendMessageRequest),
    "SendStreamingMessage": ("POST", "/message:stream", pb.SendMessageRequest),
    "GetTask": ("GET", "/tasks/{id}", pb.GetTaskRequest),
    "ListTasks": ("GET", "/tasks", pb.ListTasksRequest),
    "CancelTask": ("POST", "/tasks/{id}:cancel", pb.CancelTaskRequest),
    "SubscribeToTask": ("POST", "/tasks/{id}:subscribe", pb.SubscribeToTaskRequest),
    "CreateTaskPushNotificationConfig": ("POST", CONFIGS, pb.TaskPushNotificationConfig),
    "GetTaskPushNotificationConfig": ("GET", f"{CONFIGS}/{{id}}", pb.GetTaskPushNotificationConfigRequest),
    "ListTaskPushNotificationConfigs": ("GET", CONFIGS, pb.ListTaskPushNotificationConfigsRequest),
    "DeleteTaskPushNotificationConfig": ("DELETE", f"{CONFIGS}/{{id}}", pb.DeleteTaskPushNotificationConfigRequest),
    "GetExtendedAgentCard": ("GET", "/extendedAgentCard", pb.GetExtendedAgentCardRequest),
}
ANSWERS = {
    "SendMessage": pb.SendMessageResponse,
    "GetTask": pb.Task,
    "ListTasks": pb.ListTasksResponse,
    "CancelTask": pb.Task,
    "GetExtendedAgentCard": pb.AgentCard,
    "CreateTaskPushNotificationConfig": pb.TaskPushNotificationConfig,
    "DeleteTaskPushNotificationConfig": empty_pb2.Empty,
    "GetTaskPushNotificationConfig": pb.TaskPushNotificationConfig,
    "ListTaskPushNotificationConfigs": pb.ListTaskPushNotificationConfigsResponse,
}
PUBLIC_URL = "http://127.0.0.1:8000"  # as gRPC names the server: it has no Host header
VERSION = {"A2A-Version": "1.0"}


class Bindings:
    """One call in all three. Each gives the answer, or the error's reason with what stands beside it."""

    def __init__(self, http: httpx.AsyncClient, site: Site) -> None:
        self.http, self.site = http, site
        self.headers = dict(VERSION)

    async def call(self, method: str, **params: Any) -> list[Any]:
        return [await each(method, params) for each in (self.jsonrpc, self.http_json, self.grpc)]

    async def jsonrpc(self, method: str, params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self.http.post(f"{self.site.address}/a2a/clerk/", json=body, headers=self.headers)
        if answer.headers["content-type"].startswith("text/event-stream"):
            return [each["result"] for each in events_of(answer)]
        found = answer.json()
        return ("error", found["error"]["message"], found["error"]["data"]) if "error" in found else found["result"]

    async def http_json(self, method: str, params: Any) -> Any:
        verb, path, _ = CALLS[method]
        rest = {name: value for name, value in params.items() if f"{{{name}}}" not in path}
        url = f"{self.site.address}/a2a/clerk/v1{path.format(**params)}"
        if verb == "POST":
            answer = await self.http.post(url, json=rest, headers=self.headers)
        else:
            query = {name: json.dumps(value).strip('"') for name, value in rest.items()}
            answer = await self.http.request(verb, f"{url}?{urlencode(query)}", headers=self.headers)
        if answer.headers["content-type"].startswith("text/event-stream"):
            return events_of(answer)
        found = answer.json()
        if answer.is_error:
            return "error", found["error"]["message"], found["error"]["details"]
        return found or None

    async def grpc(self, method: str, params: Any) -> Any:
        request = ParseDict({**params, "tenant": "clerk"}, CALLS[method][2]())
        metadata = [(name.lower(), value) for name, value in self.headers.items()]
        async with grpc.aio.insecure_channel(self.site.grpc) as channel:
            call = getattr(A2AServiceStub(channel), method)(request, metadata=metadata)
            try:
                if isinstance(call, grpc.aio.UnaryStreamCall):
                    return [MessageToDict(each) async for each in call]
                return MessageToDict(await call) or None
            except grpc.aio.AioRpcError as error:
                status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
                return "error", status.message, MessageToDict(status).get("details", [])


def events_of(answer: httpx.Response) -> list[Any]:
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def as_proto(method: str, json: Any) -> Any:
    """Whether a default is written or left out is the same in protobuf; a tenant names the agent in gRPC."""
    if json is None or isinstance(json, tuple):
        return json
    found = ParseDict(json, ANSWERS[method]())
    for config in [found, *getattr(found, "configs", [])]:
        if isinstance(config, pb.TaskPushNotificationConfig):
            config.ClearField("tenant")
    return found


@pytest.fixture
def bindings(http: httpx.AsyncClient, home: Site) -> Bindings:
    return Bindings(http, home)


@pytest.fixture
def message() -> Any:
    return a_message(
        'report Reading.\nsay Hello.\ndata {"n": 42, "of": [1.5, null, "ü"]}\nfile Hi!\nchunks 3\nask Well?'
    )


def a_message(text: str, **more: Any) -> Any:
    return {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": text}], **more}


async def same(bindings: Bindings, method: str, **params: Any) -> Any:
    jsonrpc, http_json, grpc = await bindings.call(method, **params)
    assert jsonrpc == http_json or (jsonrpc in (None, {}) and http_json in (None, {}))
    assert as_proto(method, http_json or {}) == as_proto(method, grpc or {})
    return jsonrpc


def without_names(value: Any, names: dict[str, str]) -> Any:
    """Ids and times, which differ from task to task, replaced by their place of first appearance."""
    if isinstance(value, dict):
        return {name: "a time" if name == "timestamp" else without_names(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [without_names(item, names) for item in value]
    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
        return names.setdefault(value, f"id {len(names)}")
    return value


async def test_it_works(bindings: Bindings, message: Any) -> None:
    task = (await bindings.jsonrpc("SendMessage", {"message": message}))["task"]

    found = await same(bindings, "GetTask", id=task["id"])
    assert found == task and len(found["artifacts"]) == 4
    await same(bindings, "GetTask", id=task["id"], historyLength=0)
    assert len((await same(bindings, "GetTask", id=task["id"], historyLength=1))["history"]) == 1


async def test_sent_messages(bindings: Bindings, message: Any) -> None:
    answers = await bindings.call("SendMessage", message=message, configuration={"historyLength": 2})

    first, *others = [without_names(answer, {}) for answer in answers]
    assert others == [first, first] and first["task"]["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"


async def test_streams(bindings: Bindings, message: Any) -> None:
    streams = await bindings.call("SendStreamingMessage", message=message)

    told = [[MessageToDict(ParseDict(event, pb.StreamResponse())) for event in stream] for stream in streams]
    first, *others = [gathered(without_names(stream, {})) for stream in told]
    assert others == [first, first] and len(first) > 6


def gathered(stream: list[Any]) -> list[Any]:
    """How much of a text one event carries depends on the moment."""
    found: list[Any] = []
    for event in stream:
        update = event.get("artifactUpdate", {})
        before = found[-1].get("artifactUpdate", {}) if found else {}
        is_more = (
            update.get("append") and before.get("artifact", {}).get("artifactId") == update["artifact"]["artifactId"]
        )
        if is_more and "text" in update["artifact"]["parts"][0]:
            before["artifact"]["parts"][0]["text"] += update["artifact"]["parts"][0]["text"]
            before.update({"lastChunk": True} if update.get("lastChunk") else {})
        else:
            found.append(event)
    return found


async def test_lists(bindings: Bindings) -> None:
    for number in range(3):
        await bindings.jsonrpc("SendMessage", {"message": a_message(f"say {number}", contextId="same lists")})

    page = await same(bindings, "ListTasks", contextId="same lists", pageSize=2)
    assert len(page["tasks"]) == 2 and page["totalSize"] == 3
    rest = await same(bindings, "ListTasks", contextId="same lists", pageSize=2, pageToken=page["nextPageToken"])
    assert len(rest["tasks"]) == 1 and rest["nextPageToken"] == ""
    full = await same(bindings, "ListTasks", contextId="same lists", includeArtifacts=True, historyLength=0)
    assert full["tasks"][0]["artifacts"] and "history" not in full["tasks"][0]
    assert (await same(bindings, "ListTasks", contextId="same lists", status="TASK_STATE_FAILED"))["tasks"] == []
    later = await same(bindings, "ListTasks", contextId="same lists", statusTimestampAfter="2100-01-01T00:00:00Z")
    assert later["totalSize"] == 0


async def test_push_configurations(bindings: Bindings) -> None:
    id = (await bindings.jsonrpc("SendMessage", {"message": a_message("say Hello.")}))["task"]["id"]
    config = {"taskId": id, "id": "mine", "url": "http://127.0.0.1:9/", "token": "t"}

    kept = await same(bindings, "CreateTaskPushNotificationConfig", **config)
    assert kept == config == await same(bindings, "GetTaskPushNotificationConfig", taskId=id, id="mine")
    assert (await same(bindings, "ListTaskPushNotificationConfigs", taskId=id))["configs"] == [config]
    assert await same(bindings, "DeleteTaskPushNotificationConfig", taskId=id, id="mine") is None
    assert (await same(bindings, "ListTaskPushNotificationConfigs", taskId=id))["configs"] == []


async def test_cards(bindings: Bindings, token: str) -> None:
    bindings.headers["Authorization"] = f"Bearer {token}"
    jsonrpc, http_json, grpc = await bindings.call("GetExtendedAgentCard")

    assert jsonrpc == http_json
    grpc = json.loads(json.dumps(grpc).replace(PUBLIC_URL, bindings.site.address))
    assert as_proto("GetExtendedAgentCard", jsonrpc) == as_proto("GetExtendedAgentCard", grpc)


ERRORS = [
    ("GetTask", {"id": NEVER}),
    ("GetTask", {"id": NEVER, "historyLength": -1}),
    ("CancelTask", {"id": NEVER}),
    ("SubscribeToTask", {"id": NEVER}),
    ("ListTasks", {"pageSize": 101}),
    ("ListTasks", {"pageToken": "nonsense"}),
    ("SendMessage", {"message": a_message("x", parts=[])}),
    ("SendMessage", {"message": a_message("x", messageId="")}),
    ("SendMessage", {"message": a_message("x", role="ROLE_UNSPECIFIED")}),
    ("SendMessage", {"message": a_message("x", taskId=NEVER)}),
    ("SendMessage", {"message": a_message("x", parts=[{"raw": "aGk=", "mediaType": "image/png"}])}),
    ("SendStreamingMessage", {"message": a_message("x", taskId=NEVER)}),
    ("CreateTaskPushNotificationConfig", {"taskId": NEVER, "url": "http://127.0.0.1:9/"}),
    ("GetTaskPushNotificationConfig", {"taskId": NEVER, "id": "x"}),
]


@pytest.mark.parametrize(("method", "params"), ERRORS, ids=[f"{method}-{n}" for n, (method, _) in enumerate(ERRORS)])
async def test_errors(bindings: Bindings, method: str, params: Any) -> None:
    jsonrpc, http_json, grpc = await bindings.call(method, **params)

    assert jsonrpc == http_json == grpc and jsonrpc[0] == "error" and jsonrpc[2]


@pytest.mark.parametrize("headers", [{"A2A-Version": "2.0"}, {"Authorization": "Bearer nonsense"}])
async def test_refusals(bindings: Bindings, headers: Any) -> None:
    bindings.headers.update(headers)
    jsonrpc, http_json, grpc = await bindings.call("GetTask", id=NEVER)

    assert jsonrpc == http_json == grpc and jsonrpc[0] == "error"
