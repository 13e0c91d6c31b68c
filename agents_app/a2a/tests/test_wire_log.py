from __future__ import annotations

import asyncio
import json
import shlex
import string
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_app import runtime
from agents_app.a2a import masking, wire_log
from agents_app.ids import uuid7
from agents_app.models import WireMessage

SECRET_FIELDS = ("token", "credentials", "password", "accessToken", "api_key", "clientSecret", "X-Auth-Token", "cookie")
SECRET_HEADERS = ("Authorization", "Cookie", "Set-Cookie", "X-API-Key", "x-goog-api-key", "X-A2A-Notification-Token")
LETTERS = string.ascii_letters + string.digits
# Long, and of letters that occur nowhere else, so that finding it means that it leaked.
secrets = st.text(LETTERS + "-_.~", min_size=24, max_size=60).map(lambda text: f"Zq{text}qZ")
any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def holders(draw: st.DrawFn, secret: st.SearchStrategy[str] = secrets) -> tuple[Any, str]:
    """JSON with a secret somewhere in it, under a name that says so, and the secret."""
    hidden = draw(secret)
    held: Any = hidden
    for _ in range(draw(st.integers(0, 2))):  # the name may be that of an object or a list
        held = draw(st.sampled_from(([held], [1, held], {"scheme": "Bearer", "value": held}, {"of": {"it": held}})))
    held = {draw(st.sampled_from(SECRET_FIELDS)): held}
    for _ in range(draw(st.integers(0, 3))):
        around = draw(st.dictionaries(st.text(max_size=12), any_json, max_size=3))
        held = draw(st.sampled_from(({**around, "in": held}, {"in": held, **around}, [draw(any_json), held])))
    return held, hidden


def masked(body: bytes | str, *known: str) -> str:
    return wire_log.masked_body(body, known)


async def kept(**values: Any) -> WireMessage:
    wire_log.record(**{"direction": "in", "binding": "JSONRPC", "operation": "SendMessage", **values})
    runtime.current().journal.close()
    return await WireMessage.objects.aget()


@pytest.mark.django_db(transaction=True)
async def test_it_works():
    row = await kept(
        method="POST",
        url="http://127.0.0.1:8000/a2a/chloe/",
        request_headers=[(b"content-type", b"application/json"), (b"authorization", b"Bearer tkr_" + b"s" * 40)],
        request_body=b'{"jsonrpc":"2.0","id":1}',
        status=200,
        response_headers={"Content-Type": "application/json"},
        response_body='{"result":{}}',
        milliseconds=12.6,
        agent_id="chloe",
    )

    assert (row.direction, row.binding, row.operation, row.method) == ("in", "JSONRPC", "SendMessage", "POST")
    assert row.request_headers == {"content-type": "application/json", "authorization": "Bearer $TOKEN"}
    assert (row.request_body, row.status, row.milliseconds) == ('{"jsonrpc":"2.0","id":1}', 200, 13)
    assert (row.response_headers, row.response_body) == ({"Content-Type": "application/json"}, '{"result":{}}')


@given(holders(), st.booleans(), st.sampled_from((None, 2)))
def test_no_secret_survives_in_json(holder: tuple[Any, str], ascii: bool, indent: int | None) -> None:
    body = json.dumps(holder[0], ensure_ascii=ascii, indent=indent)

    assert holder[1] in body, "need a secret in the open for this test to mean anything"
    assert holder[1] not in masked(body.encode("utf-8", "replace"))


@given(holders(), st.data())
def test_no_secret_survives_where_a_body_was_cut_off(holder: tuple[Any, str], data: st.DataObject) -> None:
    body = json.dumps(holder[0])
    end = data.draw(st.integers(body.index(holder[1]) + len(holder[1]) // 2, len(body)))

    assert holder[1][: len(holder[1]) // 2] not in masked(body[:end])


@given(holders(), holders())
def test_no_secret_survives_in_a_stream_of_events(first: tuple[Any, str], second: tuple[Any, str]) -> None:
    stream = "".join(f"id: {n}\ndata: {json.dumps(body)}\n\n" for n, (body, _) in enumerate((first, second)))

    kept = masked(stream)

    assert first[1] not in kept and second[1] not in kept
    assert kept.count("\n") == stream.count("\n")


@given(secrets, st.text(max_size=40), st.text(max_size=40))
def test_a_token_of_ours_survives_nowhere(secret: str, before: str, after: str) -> None:
    token = f"tkr_{secret}".replace(".", "-").replace("~", "-")

    assert token[8:] not in masked(json.dumps({"text": f"{before} {token} {after}"}))


@given(secrets, st.sampled_from(("token", "access_token", "api_key", "key", "sig", "password")), st.text(LETTERS))
def test_no_secret_survives_in_an_address(secret: str, name: str, other: str) -> None:
    address = f"https://example.com/hook?{urlencode({'other': other, name: secret, 'page': '2'})}"

    for text in (address, json.dumps({"url": address}), f"see {address}#top"):
        assert secret not in masking.mask_text(text)
        assert "page=2" in masking.mask_text(text)


@given(st.text(min_size=4, max_size=40).filter(lambda text: text.strip()), any_json)
def test_a_known_secret_survives_nowhere_however_it_is_written(secret: str, other: Any) -> None:
    marked = f"\u2603{secret}\u2603"
    bodies = (
        json.dumps([other, marked]),
        json.dumps({"x": marked}, ensure_ascii=False),
        f"?x={quote(marked, safe='')}",
    )

    for body in (text.encode("utf-8", "replace").decode() for text in bodies):
        known = marked.encode("utf-8", "replace").decode()
        if known == marked:
            assert marked not in masked(body, known)
            assert json.dumps(marked)[1:-1] not in masked(body, known)


@given(st.sampled_from(SECRET_HEADERS), secrets, st.sampled_from(("", "Bearer ", "Basic ", "odd ")))
def test_no_secret_survives_in_a_header(name: str, secret: str, scheme: str) -> None:
    assert secret not in masking.mask_header(name, f"{scheme}{secret}")


@given(st.lists(any_json | holders().map(lambda holder: holder[0]), max_size=3), st.integers(0, 200))
def test_masking_takes_anything_anywhere_and_keeps_what_is_no_secret(bodies: list[Any], cut: int) -> None:
    text = json.dumps(bodies)

    masked(text[cut:])
    masked(text[:-cut])
    json.loads(masked(text))


@pytest.mark.parametrize(
    "body",
    [
        {"nextPageToken": "abc", "pageSize": 50, "tasks": [{"id": "7"}]},
        {"usage": {"input_tokens": 120, "outputTokens": 7, "tokens": 127}},
        {"flows": {"authorizationCode": {"tokenUrl": "https://example.com/token", "scopes": {}}}},
        {"securitySchemes": {"key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}}},
        {"parts": [{"text": 'He said: "no token is a secret", and \\ went.'}, {"data": {"a": [1, None, True]}}]},
        {"token": "", "credentials": None},
    ],
)
def test_what_is_no_secret_stays_as_it_was(body: dict[str, Any]) -> None:
    text = json.dumps(body, indent=1)

    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"tok\\u0065n":"abc"}', '{"token":"$TOKEN"}'),
        ('{"token":12345}', '{"token":"$TOKEN"}'),
        ('{"tokens":["a","b"],"n":1}', '{"tokens":["$TOKEN","$TOKEN"],"n":1}'),
        ("token=abc&page=2", "token=$TOKEN&page=2"),
        ("https://ada:pass@example.com/", "https://$TOKEN@example.com/"),
        ('{"text":"Bearer abcdefghijklmnopqrst"}', '{"text":"Bearer $TOKEN"}'),
        ('{"text":"eyJhbGciOiJub25l.eyJzdWIiOiJhIn0.sig"}', '{"text":"$TOKEN"}'),
    ],
)
def test_what_is_left_shows_where_something_was(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_raw_parts_are_shown_by_their_beginning() -> None:
    text = masked(json.dumps({"parts": [{"raw": "A" * 40_000, "filename": "a.png"}]}))

    assert json.loads(text)["parts"][0] == {"raw": f"{'A' * 60}… (40,000 characters)", "filename": "a.png"}


def test_a_long_body_is_cut_with_a_clear_mark(settings) -> None:
    settings.A2A_WIRE_LOG_MAX_BYTES = 1024

    text = masked("é" * 5_000)

    assert text == f"{'é' * 512}\n… cut here: 10,000 bytes in all"


def test_a_secret_that_begins_where_the_body_is_cut_is_not_shown(settings) -> None:
    settings.A2A_WIRE_LOG_MAX_BYTES = 1024
    secret = "the hidden word of the house"
    for ahead in range(len(secret)):
        raw = "A" * (2 * 1024 - 60 - ahead)
        body = json.dumps({"raw": raw, "text": f"so: {secret}, tkr_{'s' * 40}"}) + " " * 2_000
        assert "the h" not in masked(body, secret) and "sss" not in masked(body, secret)


def test_what_streams_by_is_captured_only_as_far_as_it_is_kept(settings) -> None:
    settings.A2A_WIRE_LOG_MAX_BYTES = 1024
    capture = wire_log.Capture()
    for _ in range(1_000):
        capture.add(b"data: {}\n\n")

    assert len(capture.data) <= 2 * 1024 and capture.size == 10_000
    assert wire_log.masked_body(capture).endswith("… cut here: 10,000 bytes in all")


@pytest.mark.django_db(transaction=True)
async def test_what_no_database_can_save_is_replaced():
    row = await kept(request_body=b'{"a":"\x00\xff"}', request_headers=[(b"x", b"\x00")], url="/\ud800")

    assert row.request_body == '{"a":"\ufffd\ufffd"}' and row.request_headers == {"x": "\ufffd"}


@pytest.mark.django_db(transaction=True)
async def test_switched_off_nothing_is_kept(settings):
    settings.A2A_WIRE_LOG = False
    wire_log.record(direction="in", binding="JSONRPC", operation="GetTask")
    runtime.current().journal.close()

    assert not await WireMessage.objects.aexists()


@pytest.mark.django_db(transaction=True)
async def test_more_than_can_be_saved_is_not_held(monkeypatch):
    monkeypatch.setattr(wire_log, "MAX_WAITING", 5)
    for _ in range(20):
        wire_log.record(direction="in", binding="JSONRPC", operation="GetTask")
    runtime.current().journal.close()

    assert await WireMessage.objects.acount() == 5


@pytest.mark.django_db(transaction=True)
async def test_what_the_end_saved_is_not_looked_for_afterwards(caplog):
    await kept(operation="GetTask")
    await asyncio.sleep(wire_log.GATHER_SECONDS * 2)

    assert not caplog.records


@pytest.mark.django_db(transaction=True)
async def test_a_row_that_cannot_be_saved_harms_no_other():
    wire_log.record(direction="in", binding="JSONRPC", operation="GetTask", task_id=uuid7())
    row = await kept(operation="ListTasks")

    assert row.operation == "ListTasks"


def test_curl_gets_the_same_request_and_an_open_place_for_the_secret() -> None:
    body = json.dumps({"text": "it's $HOME `ls` \\ \n!", "token": "$TOKEN"})
    message = WireMessage(
        method="POST",
        url="https://example.com/a2a/chloe/?a=1&b=2",
        request_headers={"Authorization": "Bearer $TOKEN", "Content-Length": "7", "A2A-Version": "1.0"},
        request_body=body,
    )
    command = wire_log.as_curl(message)

    assert shlex.split(command.replace("\\\n", " ")) == [
        *("curl", "-i", "-X", "POST", message.url),
        *("-H", "Authorization: Bearer $TOKEN", "-H", "A2A-Version: 1.0", "--data-raw", body),
    ]
    assert "-H 'Authorization: Bearer '\"$TOKEN\" " in command
    assert wire_log.as_curl(WireMessage(binding="GRPC")) == ""


def test_curl_is_told_where_we_are(settings) -> None:
    settings.PUBLIC_URL = "https://chat.example.com"

    assert wire_log.as_curl(WireMessage(method="GET", url="/a2a/")) == "curl -i 'https://chat.example.com/a2a/'"
