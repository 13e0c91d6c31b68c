"""The same test over gRPC and in version 0.3, against the SDK's own servers: as they are, and broken in several places."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from a2a.utils.errors import InternalError, TaskNotFoundError

from agents_app.a2a.certificate import examination
from agents_app.a2a.certificate.targets import target_at
from agents_app.a2a.certificate.tests.conftest import examined
from agents_app.a2a.certificate.tests.test_examination import (
    BEARER,
    Between,
    instead,
    method_of,
    rpc,
    slow,
    wants_a_token,
)
from agents_app.a2a.client.tests.elsewhere import Elsewhere, answer, text

BINDINGS = ("JSONRPC", "HTTP+JSON", "GRPC")
TOKEN = "hunter2-is-my-token"


async def test_it_works(server):
    found = await examined(server(slow, binding="GRPC").url)
    assert found.all("red") == []
    assert found.all("amber") == ["card-caching", "signature", "version"]  # the SDK's server takes every version
    assert len(found) == len(examination.PROBES)
    assert "can be followed to its end" in found["subscribe"].text
    assert found["cancel"].text == "A task at work can be stopped."


@pytest.mark.parametrize("binding", BINDINGS)
async def test_version_0_3_is_tested_alike(server, binding):
    there = server(slow, binding=binding, version="0.3")
    found = await examined(there.url)
    assert found.all("red") == []
    assert found.all("amber") == ["card-caching", "signature", "version"]
    assert len(found) == len(examination.PROBES)
    assert "completed" in found["send"].text and found["cancel"].text == "A task at work can be stopped."
    assert "can be followed to its end" in found["subscribe"].text
    assert len(there.executed) == 4


async def test_messages_of_grpc_are_shown_without_secrets(server):
    found = await examined(server(answer, binding="GRPC", extra=BEARER).url, TOKEN)
    sent, streamed = found["send"].exchange, found["stream"].exchange
    assert "/lf.a2a.v1.A2AService/SendMessage\na2a-version: 1.0\nauthorization: Bearer $TOKEN\n" in sent.request
    assert '"text": "Reply with the word ready."' in sent.request
    assert sent.response.startswith("gRPC OK\n") and "TASK_STATE_COMPLETED" in sent.response
    assert streamed.response.count("Update") >= 3
    refused = found["unknown-task"].exchange.response
    assert refused.startswith("gRPC NOT_FOUND: ") and '"reason": "TASK_NOT_FOUND"' in refused
    assert "hunter2" not in str([finding.exchange for finding in found.values()])


@pytest.mark.parametrize(
    ("binding", "asked", "came"),
    [
        ("JSONRPC", '"message/send"', '"state":"completed"'),
        ("HTTP+JSON", "/v1/message:send", "TASK_STATE_COMPLETED"),
        ("GRPC", "/a2a.v1.A2AService/SendMessage", "TASK_STATE_COMPLETED"),
    ],
)
async def test_messages_of_0_3_are_shown_as_they_are(server, binding, asked, came):
    found = await examined(server(slow, binding=binding, version="0.3", extra=BEARER).url, TOKEN)
    shown = found["send"].exchange
    assert asked in shown.request and "uthorization: Bearer $TOKEN" in shown.request
    assert came in shown.response
    assert "hunter2" not in str([finding.exchange for finding in found.values()])


@pytest.mark.parametrize("version", ["1.0", "0.3"])
async def test_a_stream_that_is_none_says_so_over_grpc(server, version):
    found = await examined(server(slow, binding="GRPC", version=version, streaming=False).url)
    assert found["stream"].level == "green" and "a stream is refused" in found["stream"].text


@pytest.mark.parametrize("version", ["1.0", "0.3"])
async def test_nobody_at_the_address_of_grpc_is_red_and_shown(server, version):
    there = server(slow, binding="GRPC", version=version)
    there.run(there.grpc.stop(0))
    found = await examined(there.url)
    assert found["send"].level == "red" and "/SendMessage" in found["send"].exchange.request
    assert found["send"].exchange.response.startswith("gRPC UNAVAILABLE")
    there.grpc_port = 0


async def test_an_address_that_must_not_be_called_is_not_called_over_grpc(server, settings):
    there = server(slow, binding="GRPC")
    target = await target_at(there.url)
    settings.OUTGOING_ALLOW = []
    async with target.open_client() as client, examination.open_calls(target, client) as calls:
        with pytest.raises(examination.NoReply, match=r"127\.0\.0\.1"):
            await calls.call("GetTask", {"id": "1"})
    assert there.executed == []


def forgets_tasks(there: Elsewhere) -> None:
    async def forget(*_: Any) -> None:
        raise TaskNotFoundError

    there.handler.on_get_task = forget  # type: ignore[method-assign]


def cannot_stop(there: Elsewhere) -> None:
    async def fail(*_: Any) -> None:
        raise InternalError

    there.handler.on_cancel_task = fail  # type: ignore[method-assign]


def breaks_streams_off(there: Elsewhere) -> None:
    stream = there.handler.on_message_send_stream

    async def first(*values: Any) -> Any:
        async for event in stream(*values):
            yield event
            return

    there.handler.on_message_send_stream = first  # type: ignore[method-assign]


@pytest.mark.parametrize("version", ["1.0", "0.3"])
@pytest.mark.parametrize(
    ("break_it", "expected"),
    [(forgets_tasks, ["get", "history"]), (cannot_stop, ["cancel"]), (breaks_streams_off, ["stream"])],
    ids=["forgets tasks", "cannot stop", "breaks streams off"],
)
async def test_what_is_broken_is_red_over_grpc(server, version, break_it, expected):
    there = server(slow, binding="GRPC", version=version)
    break_it(there)
    found = await examined(there.url)
    assert found.all("red") == expected
    assert all(found[id].exchange for id in expected)


class Nonsense(grpc.GenericRpcHandler):
    """Answers whatever it is asked with bytes that are no message, also in a stream without end."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            return b"\xff\xff\xff"

        async def stream(request: bytes, context: Any) -> Any:
            while True:
                yield b"\xff\xff\xff"

        if "Stream" in details.method or "Subscri" in details.method:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.mark.parametrize("version", ["1.0", "0.3"])
async def test_nonsense_over_grpc_is_red_and_shown(server, version):
    there = server(slow, binding="GRPC", version=version)
    nonsense = grpc.aio.server()
    nonsense.add_generic_rpc_handlers((Nonsense(),))
    target = await target_at(there.url)
    address = f"127.0.0.1:{nonsense.add_insecure_port('127.0.0.1:0')}"
    await nonsense.start()
    target = replace(target, interface=replace(target.interface, url=address))
    found = {finding.id: finding for finding in await examination.examine(target)}
    await nonsense.stop(0)
    assert found["send"].level == "red" and "is not what A2A" in found["send"].text
    assert "xff" in found["send"].exchange.response
    assert found["stream"].level == "red" and found["stream"].exchange.response.startswith("gRPC: broken off here")


@pytest.mark.parametrize("version", ["1.0", "0.3"])
async def test_who_sends_far_too_much_over_grpc_is_not_heard_to_the_end(server, version):
    async def flood(context: Any, updater: Any) -> None:
        for number in range(50):
            await updater.add_artifact(text("x" * 100_000), artifact_id=f"a{number}")
        await updater.complete()

    found = await examined(server(flood, binding="GRPC", version=version).url)
    for id in ("send", "stream"):
        assert found[id].level == "red" and "is not what A2A" in found[id].text
        assert len(found[id].exchange.response) < 7_000


def answers_with_something_else(request: Any, given: Any) -> Any:
    return rpc(given, result={"id": 5}) if method_of(request) == "tasks/get" and "error" not in given["body"] else None


def answers_with_no_json(request: Any, given: Any) -> Any:
    return instead(given, body="<html>") if method_of(request) == "message/send" else None


def falls_over_broken_json(request: Any, given: Any) -> Any:
    return instead(given, status=500, body="boom") if request["body"].endswith('"method"') else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (answers_with_something_else, ["get", "history"]),
        (answers_with_no_json, ["send", "subscribe", "cancel"]),
        (falls_over_broken_json, ["malformed"]),
    ],
    ids=["something else", "no JSON", "broken JSON"],
)
async def test_what_is_broken_is_red_in_0_3(server, change, expected):
    there = server(slow, version="0.3")
    Between(there, change)
    found = await examined(there.url)
    assert found.all("red") == expected
    assert all(found[id].exchange for id in expected)


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_who_demands_credentials_and_gets_them_is_green_in_0_3(server, binding):
    there = server(slow, binding=binding, version="0.3", extra=BEARER)
    Between(there, wants_a_token)
    found = await examined(there.url, TOKEN)
    assert found["auth"].text == "A call without credentials is refused (HTTP 401)." and found.all("red") == []


async def test_who_demands_credentials_and_takes_calls_without_is_red_in_0_3(server):
    found = await examined(server(slow, version="0.3", extra=BEARER).url, TOKEN)
    assert found["auth"].level == "red" and found["auth"].exchange


async def test_an_agent_that_hangs_over_grpc_does_not_hold_up_the_test(server, monkeypatch):
    there = server(slow, binding="GRPC")

    async def hang(*_: Any) -> None:
        await asyncio.sleep(60)

    there.handler.on_get_task = hang
    quick = [
        examination.Probe(probe.id, probe.title, probe.ask, 0.2)
        for probe in examination.PROBES
        if probe.id in ("card", "unknown-task", "malformed")
    ]
    monkeypatch.setattr(examination, "PROBES", quick)
    found = await examined(there.url)
    assert "longer than 0.2 seconds" in found["unknown-task"].text and found["malformed"].level == "green"
