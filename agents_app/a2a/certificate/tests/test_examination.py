"""The test of an agent, against the SDK's own server: as it is, and broken in one place after the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from agents_app.a2a.certificate import examination
from agents_app.a2a.certificate.tests.conftest import examined
from agents_app.a2a.client.tests.elsewhere import Elsewhere, answer, text

BEARER = {
    "securitySchemes": {"bearer": {"httpAuthSecurityScheme": {"scheme": "Bearer"}}},
    "securityRequirements": [{"schemes": {"bearer": {"list": []}}}],
}


async def slow(context: Any, updater: Any) -> None:
    await updater.start_work()
    await asyncio.sleep(0.15)
    await updater.add_artifact(text("ready"), artifact_id="answer")
    await updater.complete()


class Between:
    """Stands before a server and changes what it says: `change(request, answer)` returns another answer, or None.

    A request is `{path, method, body, headers}`, an answer `{status, headers, body}`; bodies are text.
    """

    def __init__(self, there: Elsewhere, change: Callable[[Any, Any], Any]) -> None:
        self._change = change
        self._inner = there.app
        there.app = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, parts = b"", []
        while True:
            parts.append(message := await receive())
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        start: Any = {}
        said = b""

        async def again() -> Any:
            return parts.pop(0) if parts else await receive()

        async def note(message: Any) -> None:
            nonlocal said
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                said += message.get("body", b"")

        await self._inner(scope, again, note)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = {"path": scope["path"], "body": body.decode(), "headers": headers}
        kept = [(n, v) for n, v in start["headers"] if n != b"content-length"]
        given = {"status": start["status"], "headers": kept, "body": said.decode()}
        changed = self._change(request, given) or given
        await send({"type": "http.response.start", "status": changed["status"], "headers": changed["headers"]})
        await send({"type": "http.response.body", "body": changed["body"].encode()})


def method_of(request: Any) -> str:
    try:
        return str(json.loads(request["body"]).get("method", ""))
    except (ValueError, AttributeError):
        return ""


def params_of(request: Any) -> Any:
    return json.loads(request["body"])["params"]


def instead(given: Any, **changes: Any) -> Any:
    return {**given, **changes}


def rpc(given: Any, **values: Any) -> Any:
    return instead(given, status=200, body=json.dumps({"jsonrpc": "2.0", "id": "1", **values}))


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_it_works(server, binding):
    found = await examined(server(slow, binding=binding).url)
    assert found.all("red") == []
    assert found.all("amber") == ["card-caching", "signature"]
    assert len(found) == len(examination.PROBES)
    assert "can be followed to its end" in found["subscribe"].text
    assert found["cancel"].text == "A task at work can be stopped."


async def test_it_takes_four_answers(server):
    there = server(slow)
    await examined(there.url)
    assert len(there.executed) == 4


async def test_the_raw_messages_are_shown_without_secrets(server):
    there = server(slow, extra=BEARER)
    found = await examined(there.url, token="hunter2-is-my-token")
    shown = found["send"].exchange
    assert shown.request.startswith("POST http://127.0.0.1") and '"SendMessage"' in shown.request
    assert "authorization: Bearer $TOKEN" in shown.request.lower().replace("$token", "$TOKEN").replace(
        "bearer", "Bearer"
    )
    assert shown.response.startswith("HTTP 200") and "TASK_STATE_COMPLETED" in shown.response
    assert "hunter2" not in str([finding.exchange for finding in found.values()])


async def test_an_agent_that_streams_shows_its_stream(server):
    found = await examined(server(answer).url)
    assert found["stream"].exchange.response.count("data:") >= 3


async def test_an_agent_without_streams_must_refuse_them(server):
    found = await examined(server(slow, streaming=False).url)
    assert found["stream"].level == "green" and found["subscribe"].level == "green"


async def test_a_plain_answer_leaves_nothing_to_read(server):
    async def plain(context: Any, updater: Any) -> None: ...

    plain.plain = True  # type: ignore[attr-defined]
    found = await examined(server(plain).url)
    assert found["send"].level == "green" and found["get"].level == "amber" and found.all("red") == []


async def test_an_agent_that_fails_is_amber(server):
    async def fail(context: Any, updater: Any) -> None:
        await updater.failed(updater.new_agent_message(text("No.")))

    found = await examined(server(fail).url)
    assert found["send"].level == "amber" and "failed" in found["send"].text


async def test_without_a_card_nothing_else_is_tested(server):
    there = server(slow)
    target = await examination_target(there)
    Between(there, lambda request, given: instead(given, status=404, body="no"))
    found = {each.id: each for each in await examination.examine(target)}
    assert list(found) == ["card", "calls"] and found["card"].level == "red"


async def examination_target(there: Elsewhere) -> Any:
    from agents_app.a2a.certificate.targets import target_at

    return await target_at(there.url)


async def test_an_agent_that_hangs_is_red_and_does_not_hold_up_the_test(server, monkeypatch):
    there = server(slow)

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    quick = [probe if probe.id != "version" else examination.Probe("version", "", probe.ask, 0.2) for probe in PROBES]
    monkeypatch.setattr(examination, "PROBES", [*quick[:5], next(each for each in quick if each.id == "version")])
    inner = there.app

    async def only_cards(scope: Any, receive: Any, send: Any) -> None:
        await (inner if scope["path"].endswith(".json") else hang)(scope, receive, send)

    there.app = only_cards
    found = await examined(there.url)
    assert found["version"].level == "red" and "longer than 0.2 seconds" in found["version"].text


PROBES = examination.PROBES


def answers_every_version(request: Any, given: Any) -> Any:
    return rpc(given, result={}) if request["headers"].get("a2a-version") == "99.0" else None


def refuses_messages(request: Any, given: Any) -> Any:
    return instead(given, status=500, body="Traceback") if method_of(request) == "SendMessage" else None


def answers_too_early(request: Any, given: Any) -> Any:
    if method_of(request) == "SendMessage" and "configuration" not in params_of(request):
        return instead(given, body=given["body"].replace("TASK_STATE_COMPLETED", "TASK_STATE_WORKING"))
    return None


def answers_without_ids(request: Any, given: Any) -> Any:
    if method_of(request) == "SendMessage":
        return rpc(given, result={"task": {"status": {"state": "TASK_STATE_COMPLETED"}}})
    return None


def forgets_tasks(request: Any, given: Any) -> Any:
    if method_of(request) == "GetTask" and '"result"' in given["body"]:
        return rpc(given, error={"code": -32001, "message": "Task not found"})
    return None


def lists_nothing(request: Any, given: Any) -> Any:
    empty = {"tasks": [], "nextPageToken": "", "pageSize": 50, "totalSize": 0}
    return rpc(given, result=empty) if method_of(request) == "ListTasks" else None


def breaks_streams_off(request: Any, given: Any) -> Any:
    if method_of(request) != "SendStreamingMessage":
        return None
    return instead(given, body=given["body"].split("\r\n\r\n")[0] + "\r\n\r\n")


def subscribes_without_the_task(request: Any, given: Any) -> Any:
    if method_of(request) != "SubscribeToTask" or "data:" not in given["body"]:
        return None
    return instead(given, body=given["body"].split("\r\n\r\n", 1)[1])


def cannot_stop(request: Any, given: Any) -> Any:
    if method_of(request) == "CancelTask":
        return rpc(given, error={"code": -32603, "message": "Internal error"})
    return None


def stops_what_has_ended(request: Any, given: Any) -> Any:
    ended = method_of(request) == "CancelTask" and '"error"' in given["body"]
    return rpc(given, result={"id": "1", "status": {"state": "TASK_STATE_CANCELED"}}) if ended else None


def knows_every_task(request: Any, given: Any) -> Any:
    unknown = method_of(request) == "GetTask" and "-32001" in given["body"]
    return rpc(given, result={"id": "x"}) if unknown else None


def knows_every_method(request: Any, given: Any) -> Any:
    return rpc(given, result={}) if method_of(request) == "NoSuchMethod" else None


def falls_over_broken_json(request: Any, given: Any) -> Any:
    return instead(given, status=500, body="boom") if request["body"].endswith('"method"') else None


def takes_empty_messages(request: Any, given: Any) -> Any:
    empty = method_of(request) == "SendMessage" and not params_of(request)["message"]["parts"]
    return rpc(given, result={"task": {}}) if empty else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (answers_every_version, ["version"]),
        (refuses_messages, ["send", "subscribe", "cancel", "invalid"]),
        (answers_too_early, ["send"]),
        (answers_without_ids, ["send", "invalid"]),
        (forgets_tasks, ["get", "history"]),
        (lists_nothing, ["list"]),
        (breaks_streams_off, ["stream"]),
        (subscribes_without_the_task, ["subscribe"]),
        (cannot_stop, ["cancel"]),
        (stops_what_has_ended, ["cancel-ended"]),
        (knows_every_task, ["unknown-task"]),
        (knows_every_method, ["unknown-method"]),
        (falls_over_broken_json, ["malformed"]),
        (takes_empty_messages, ["invalid"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_what_is_broken_is_red(server, change, expected):
    there = server(slow)
    Between(there, change)
    found = await examined(there.url)
    assert found.all("red") == expected
    assert all(finding.exchange for finding in found.values() if finding.level == "red")


async def test_who_demands_credentials_and_takes_calls_without_is_red(server):
    found = await examined(server(slow, extra=BEARER).url, token="a token")
    assert found["auth"].level == "red" and "was answered" in found["auth"].text


def wants_a_token(request: Any, given: Any) -> Any:
    if "authorization" in request["headers"] or request["path"].endswith(".json"):
        return None
    return instead(given, status=401, headers=[(b"www-authenticate", b"Bearer")], body="")


async def test_who_demands_credentials_and_gets_them_is_green(server):
    there = server(slow, extra=BEARER)
    Between(there, wants_a_token)
    found = await examined(there.url, token="a token")
    assert found["auth"].level == "green" and found.all("red") == []


async def test_wrong_credentials_are_said_to_be_wrong(server):
    there = server(slow, extra=BEARER)
    Between(there, wants_a_token)
    found = await examined(there.url)
    assert "does not accept this server's credentials" in found["send"].text and found["send"].level == "red"


@pytest.mark.parametrize("name", ["extendedAgentCard", "pushNotifications"])
async def test_what_the_card_offers_and_is_not_there_is_red(server, name):
    there = server(slow)
    Between(there, lambda request, given: offering(given, name) if request["path"].endswith(".json") else None)
    found = await examined(there.url)
    assert found.all("red") == [{"extendedAgentCard": "extended-card", "pushNotifications": "push"}[name]]


def offering(given: Any, capability: str) -> Any:
    card = json.loads(given["body"])
    card["capabilities"][capability] = True
    return instead(given, body=json.dumps(card))


async def test_a_card_that_lacks_something_is_red(server):
    there = server(slow)

    def without_skills(request: Any, given: Any) -> Any:
        if not request["path"].endswith(".json"):
            return None
        card = {name: value for name, value in json.loads(given["body"]).items() if name != "skills"}
        return instead(given, body=json.dumps(card))

    Between(there, without_skills)
    found = await examined(there.url)
    assert found["card"].level == "red" and "skills" in found["card"].text
