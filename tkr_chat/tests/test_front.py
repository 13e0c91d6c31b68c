from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.context import bound
from tkr_chat.front import Front


@pytest.fixture(autouse=True)
def within_one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents_app.rates.time", lambda: 1_800_000_001.0)


class Inner:
    """Remembers what reached it."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.context: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.context = scope, dict(bound())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def called(
    front: Front, peer: str = "198.51.100.7", forwarded: str = "", path: str = "/", kind: str = "http"
) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    await front({"type": kind, "path": path, "headers": headers, "client": (peer, 1)}, receive, send)
    return sent


async def test_it_works() -> None:
    inner = Inner()

    start, _ = await called(Front(inner))

    assert inner.context["address"] == "198.51.100.7"
    assert dict(start["headers"])[b"x-request-id"].decode() == inner.context["request"]


async def test_a_stranger_cannot_choose_an_address(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    inner = Inner()

    await called(Front(inner), "198.51.100.7", "203.0.113.1")

    assert inner.scope["client"][0] == "198.51.100.7"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("127.0.0.1, 203.0.113.1", "203.0.113.1"),  # the first was written by the caller
        ("203.0.113.1, 10.0.0.9", "203.0.113.1"),  # two proxies of ours
        ("203.0.113.1, rubbish", "rubbish"),
        ("", "10.0.0.1"),
    ],
)
async def test_a_proxy_of_ours_says_for_whom_it_speaks(settings: Any, forwarded: str, address: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    inner = Inner()

    await called(Front(inner), "10.0.0.1", forwarded)

    assert inner.scope["client"][0] == address


async def test_one_address_can_come_so_often_and_others_still_may(settings: Any) -> None:
    settings.REDIS_URL, settings.RATE_PER_MINUTE_ADDRESS = "", 3
    front = Front(Inner())

    statuses = [(await called(front))[0]["status"] for _ in range(5)]
    start, body = await called(front)

    assert 429 in statuses and start["status"] == 429
    assert 1 <= int(dict(start["headers"])[b"retry-after"]) <= 60
    assert json.loads(body["body"])["error"]["code"] == "too_many_requests"
    assert (await called(front, "198.51.100.8"))[0]["status"] == 200


@pytest.mark.parametrize(
    ("peer", "path"), [("127.0.0.1", "/"), ("198.51.100.7", "/static/x.css"), ("198.51.100.7", "/a2a/chloe/")]
)
async def test_this_machine_files_and_a2a_are_not_counted_here(settings: Any, peer: str, path: str) -> None:
    settings.REDIS_URL, settings.RATE_PER_MINUTE_ADDRESS = "", 1
    front = Front(Inner())

    assert {(await called(front, peer, path=path))[0]["status"] for _ in range(5)} == {200}


async def test_a_websocket_that_comes_too_often_is_closed_and_told_why(settings: Any) -> None:
    settings.REDIS_URL, settings.RATE_PER_MINUTE_ADDRESS = "", 1
    front = Front(Inner())
    for _ in range(2):
        await called(front)

    (close,) = await called(front, kind="websocket")

    assert (close["type"], close["code"]) == ("websocket.close", 1013)
