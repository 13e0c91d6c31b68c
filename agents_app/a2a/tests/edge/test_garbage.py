"""Whatever arrives, the answer is well formed, soon, and no mistake of the server's."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NoReturn
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from agents_app.a2a.extensions import CHAIN
from agents_app.a2a.jsonrpc import STREAMS, UNARY
from agents_app.a2a.legacy.methods import METHODS
from agents_app.a2a.tests.edge.conftest import Caller, a_message

SECONDS = 10
TASK = "01a20891-c371-706c-ba8c-560939f9374d"
NAMES = """
message messageId role parts text raw url data metadata filename mediaType contextId taskId referenceTaskIds extensions
configuration historyLength returnImmediately acceptedOutputModes taskPushNotificationConfig authentication scheme token
credentials pageSize pageToken status statusTimestampAfter includeArtifacts tenant id kind blocking message_id context_id
pushNotificationConfig pushNotificationConfigId content request chain hops seconds tokens
"""
FIELDS = [*re.findall(r"\S+", NAMES), CHAIN]
WORDS = [
    "",
    TASK,
    "ROLE_USER",
    "user",
    "text",
    "TASK_STATE_WORKING",
    "2026-01-01T00:00:00Z",
    "0",
    "true",
    "\0",
    "\ud800",
]
VALUES: list[Any] = [*WORDS, 0, 1, -1, 0.5, 1e300, 2**31, 2**63, 10**400, True, None, [], {}]
FEW = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

scalars = some.sampled_from(VALUES) | some.text(max_size=8) | some.integers() | some.floats() | some.booleans()
fields = some.sampled_from(FIELDS)
objects = some.recursive(
    scalars,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(fields, inner, max_size=6),
    max_leaves=20,
)
extras = some.dictionaries(fields, objects, max_size=3)
messages = extras.map(lambda extra: a_message("x") | {"kind": "message"} | extra)
requests = some.builds(lambda extra, message: extra | {"message": message, "id": TASK}, extras, messages) | extras
methods = some.sampled_from([*UNARY, *STREAMS, *METHODS]) | some.text(max_size=20)
versions = some.sampled_from(["1.0", "1.0", "0.3", "", "1", "1.0.0.0", "x"])
PLACES = ["tasks", TASK, f"{TASK}:cancel", f"{TASK}:subscribe", "message:send", "message:stream", "card", "tenant"]
segments = some.sampled_from(
    [
        *PLACES,
        "pushNotificationConfigs",
        "extendedAgentCard",
        "",
        "%2F",
        "%00",
        "%FF",
        "%ED%A0%80",
        "%2E%2E",
        "a:b",
        "%",
    ]
)
queries = some.dictionaries(fields, some.sampled_from([*WORDS[:-1], "-1", "9" * 5000, "1e400"]), max_size=3)


def body_of(value: Any) -> bytes:
    """As Python writes it: also NaN, and characters that no text has."""
    return json.dumps(value).encode()


def read(body: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(body.decode(), parse_constant=refuse)


async def answer_to(
    caller: Caller, method: str, url: str, body: bytes, version: str
) -> tuple[httpx.Response, list[Any]]:
    """The response, and every JSON document in it. A stream is read for as long as it tells something."""
    headers = {"Content-Type": "application/json", "A2A-Version": version}
    async with asyncio.timeout(SECONDS), caller.client.stream(method, url, content=body, headers=headers) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            return answer, [read(await answer.aread() or b"null")]
        return answer, [read(line[6:].encode()) async for line in answer.aiter_lines() if line.startswith("data: ")]


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer


def check_jsonrpc(found: Any) -> None:
    assert found["jsonrpc"] == "2.0" and "id" in found and ("result" in found) != ("error" in found)
    if "error" in found:
        assert isinstance(found["error"]["code"], int) and found["error"]["message"]
        assert found["error"]["code"] != -32603, found


@FEW
@given(body=some.binary(max_size=64) | objects.map(body_of))
@example(b"[" * 100_000)
@example(b'{"jsonrpc": "2.0", "id": 1e400, "method": "GetTask"}')
@example(b"\xff\xfe{\x00}\x00")
async def test_jsonrpc_that_is_none(guest: Caller, body: bytes) -> None:
    answer, [found] = await answer_to(guest, "POST", f"{guest.address}/a2a/clerk/", body, "1.0")

    check(answer)
    check_jsonrpc(found)
    assert "error" in found


@FEW
@given(method=methods, params=requests | objects, version=versions, id=some.just(1) | scalars)
@example("SendMessage", {"message": a_message("x", metadata={"n": float("nan")})}, "1.0", 1)
@example("SendMessage", {"message": a_message("x", parts=[{"data": "\0"}])}, "1.0", 1)
@example("SendMessage", {"message": a_message("x", parts=[{"data": {"\ud800": 1}}])}, "1.0", 1)
@example("SendMessage", {"message": a_message("x", extensions=["\0"])}, "1.0", 1)
@example("SendMessage", {"message": a_message("x"), "metadata": {CHAIN: {"chain": ["\0"]}}}, "1.0", 1)
@example("SendMessage", {"message": a_message("x"), "tenant": "\0"}, "1.0", 1)
@example("SendMessage", {"message": a_message("x"), "tenant": "t" * 1000}, "1.0", 1)
@example("ListTasks", {"contextId": "\0"}, "1.0", 1)
@example("GetTask", {"id": "x", "tenant": 3}, "1.0", "\ud800")
@example(
    "message/send",
    {"message": {"messageId": "m", "role": "user", "parts": [{"kind": "data", "data": {"a": [[]]}}]}},
    "",
    1,
)
async def test_jsonrpc_that_almost_is(guest: Caller, method: str, params: Any, version: str, id: Any) -> None:
    body = body_of({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    answer, documents = await answer_to(guest, "POST", f"{guest.address}/a2a/clerk/", body, version)

    check(answer)
    for found in documents:
        check_jsonrpc(found)


@FEW
@given(
    method=some.sampled_from(["GET", "POST", "DELETE", "PUT", "OPTIONS"]),
    path=some.lists(segments, max_size=5),
    query=queries,
    body=requests.map(body_of) | some.binary(max_size=16),
    version=versions,
)
@example("POST", ["message:send"], {}, body_of({"message": a_message("x", parts=[{"data": 10**400}])}), "1.0")
@example("GET", ["tasks"], {"status": "9" * 5000, "pageSize": "1e400"}, b"", "1.0")
@example("GET", ["tasks", TASK], {"historyLength": "x"}, b"", "0.3")
@example("GET", ["%00", "tasks"], {}, b"", "1.0")
async def test_http_json(
    guest: Caller, method: str, path: list[str], query: dict[str, str], body: bytes, version: str
) -> None:
    url = f"{guest.address}/a2a/clerk/v1/{'/'.join(path)}?{urlencode(query)}"
    answer, documents = await answer_to(guest, method, url, body if method != "GET" else b"", version)

    check(answer)
    for found in documents:
        assert isinstance(found, dict)
        if answer.is_error:
            assert found.get("error", found)["message"]


@pytest.mark.parametrize("depth", [50, 90, 200, 900, 5000])
async def test_depth(guest: Caller, depth: int) -> None:
    """As deep as it is taken it comes back; deeper is refused."""
    data = b'{"a":' * depth + b"1" + b"}" * depth
    message = body_of(a_message("x", parts=[{"data": "HERE"}])).replace(b'"HERE"', data)
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": %s}}' % message
    answer, [found] = await answer_to(guest, "POST", f"{guest.address}/a2a/clerk/", body, "1.0")

    check(answer)
    check_jsonrpc(found)
    assert ("result" in found) == (depth < 100)


@pytest.mark.parametrize("tenant", ["t" * 201, "\0", 3, ["acme"]])
async def test_a_tenant_that_cannot_be_kept(guest: Caller, tenant: Any) -> None:
    assert await guest.code("SendMessage", message=a_message("x"), tenant=tenant) == -32602
    found = await guest.rest("POST", "/message:send", json={"message": a_message("x"), "tenant": tenant})
    assert found.status_code == 400
