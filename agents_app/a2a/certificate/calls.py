"""Calls as they are on the wire, in JSON-RPC or HTTP+JSON: nothing is mended, and everything can be shown."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from agents_app.a2a.certificate.findings import Exchange, cut
from agents_app.a2a.client.card_file import Interface
from agents_app.a2a.client.credentials import Shown
from agents_app.a2a.masking import mask_header, mask_text

VERSION = "1.0"
MAX_REQUEST_CHARS = 3_000
MAX_RESPONSE_CHARS = 6_000
TERMINAL = ("COMPLETED", "FAILED", "CANCELED", "REJECTED")
SILENT_HEADERS = ("accept-encoding", "connection")

# By operation: the verb and path of HTTP+JSON. What stands in braces comes out of the params.
PATHS = {
    "SendMessage": ("POST", "/message:send"),
    "SendStreamingMessage": ("POST", "/message:stream"),
    "GetTask": ("GET", "/tasks/{id}"),
    "ListTasks": ("GET", "/tasks"),
    "CancelTask": ("POST", "/tasks/{id}:cancel"),
    "SubscribeToTask": ("POST", "/tasks/{id}:subscribe"),
    "CreateTaskPushNotificationConfig": ("POST", "/tasks/{taskId}/pushNotificationConfigs"),
    "GetTaskPushNotificationConfig": ("GET", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "ListTaskPushNotificationConfigs": ("GET", "/tasks/{taskId}/pushNotificationConfigs"),
    "DeleteTaskPushNotificationConfig": ("DELETE", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "GetExtendedAgentCard": ("GET", "/extendedAgentCard"),
    "NoSuchMethod": ("POST", "/no/such/method"),
}

# By error: its code in JSON-RPC, and the statuses with which HTTP+JSON says it (specification 1.0.1, then 1.0.0).
ERRORS: dict[str, tuple[int, tuple[int, ...]]] = {
    "TaskNotFound": (-32001, (404,)),
    "TaskNotCancelable": (-32002, (400, 409)),
    "PushNotificationNotSupported": (-32003, (400, 501)),
    "UnsupportedOperation": (-32004, (400, 501)),
    "ExtendedAgentCardNotConfigured": (-32007, (400, 404)),
    "VersionNotSupported": (-32009, (400,)),
    "ParseError": (-32700, (400,)),
    "InvalidRequest": (-32600, (400,)),
    "MethodNotFound": (-32601, (404, 405)),
    "InvalidParams": (-32602, (400, 422)),
}


def _reason(name: str) -> str:
    """As the specification writes it in an ErrorInfo: TASK_NOT_FOUND."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


REASONS = frozenset(_reason(name) for name, (code, _) in ERRORS.items() if -32100 < code <= -32001)


@dataclass(frozen=True)
class Target:
    """Whom to call, where, and with what."""

    card_url: str
    interface: Interface
    shown: Shown
    open_client: Callable[[], httpx.AsyncClient]
    secrets: tuple[str, ...] = ()
    accepted_sha256: str = ""  # of the card that an administrator accepted; empty: none was


@dataclass(frozen=True)
class Reply:
    """What came back, and how it looked."""

    status: int
    headers: Mapping[str, str]
    json: Any  # None: no JSON
    exchange: Exchange
    is_rpc: bool
    events: list[Any] = field(default_factory=list)  # of a stream, StreamResponse objects

    @property
    def result(self) -> Any:
        """What was asked for; None: an error, or something that is no answer at all."""
        if not isinstance(self.json, dict) or self.status >= 400:
            return None
        return self.json.get("result") if self.is_rpc else self.json

    @property
    def error(self) -> Any:
        return self.json.get("error") if isinstance(self.json, dict) else None

    def is_error(self, *names: str) -> bool:
        """Whether it refuses with one of these errors, as the specification writes them."""
        if not self.is_rpc:
            return any(self.status in ERRORS[name][1] and self._reason in ("", _reason(name)) for name in names)
        code = self.error.get("code") if isinstance(self.error, dict) else None
        return any(code == ERRORS[name][0] for name in names)

    @property
    def _reason(self) -> str:
        """Which of A2A's own errors an HTTP+JSON error is; empty: it does not say, or it is none of those."""
        details = self.error.get("details") if isinstance(self.error, dict) else None
        found = [each.get("reason") for each in details or () if isinstance(each, dict)]
        return next((reason for reason in found if reason in REASONS), "")

    @property
    def said(self) -> str:
        """An error, or whatever it is instead of an answer, in a few words."""
        if isinstance(self.error, dict):
            return f"error {self.error.get('code')}: {str(self.error.get('message', ''))[:200]}"
        return f"HTTP {self.status}" + ("" if self.json is not None else ", without any JSON")


class NoReply(Exception):
    """Nothing came back, or too late. The text is fit to show."""

    def __init__(self, text: str, exchange: Exchange) -> None:
        super().__init__(text)
        self.exchange = exchange


class Calls:
    def __init__(self, target: Target, client: httpx.AsyncClient) -> None:
        self._target = target
        self._client = client
        self._is_rpc = target.interface.binding == "JSONRPC"

    async def fetch(self, url: str) -> Reply:
        """A document that needs no credentials."""
        async with self._open(self._client.build_request("GET", url), is_rpc=False) as (answer, exchange):
            body = await answer.aread()
            return self._reply(answer, exchange, body.decode("utf-8", "replace"), is_rpc=False)

    async def call(
        self, operation: str, params: Mapping[str, Any], *, credentials: bool = True, version: str = VERSION
    ) -> Reply:
        """Raises `NoReply`."""
        return await self._read(self._request(operation, params, credentials, version))

    async def send_raw(self, body: bytes) -> Reply:
        """A body as it is to the address of SendMessage."""
        url = self._address("" if self._is_rpc else "/message:send")
        return await self._read(self._build("POST", url, True, VERSION, body))

    async def stream(self, operation: str, params: Mapping[str, Any]) -> Reply:
        """Reads a stream to its end. What is no stream comes back as it is. Raises `NoReply`."""
        request = self._request(operation, params, True, VERSION)
        request.headers["accept"] = "text/event-stream"
        async with self._open(request, is_rpc=self._is_rpc) as (answer, exchange):
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                return self._reply(answer, exchange, (await answer.aread()).decode("utf-8", "replace"))
            lines = [line async for line in answer.aiter_lines()]
            reply = self._reply(answer, exchange, "\n".join(lines))
            reply.events.extend(_events(lines, self._is_rpc))
            return reply

    # -- how they are written

    def _request(self, operation: str, params: Mapping[str, Any], credentials: bool, version: str) -> httpx.Request:
        tenant = self._target.interface.tenant
        if self._is_rpc:
            named = {**params, "tenant": tenant} if tenant else dict(params)
            body = {"jsonrpc": "2.0", "id": str(uuid4()), "method": operation, "params": named}
            return self._build("POST", self._address(), credentials, version, _dumps(body))
        method, path = PATHS[operation]
        in_path = {name: value for name, value in params.items() if f"{{{name}}}" in path}
        rest = {name: value for name, value in params.items() if name not in in_path}
        url = self._address(path.format(**{name: quote(str(value), safe="") for name, value in in_path.items()}))
        if method == "POST":
            return self._build(method, url, credentials, version, _dumps(rest))
        return self._build(method, url, credentials, version, query={name: _plain(each) for name, each in rest.items()})

    def _build(
        self,
        method: str,
        url: str,
        credentials: bool,
        version: str,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        shown = self._target.shown if credentials else Shown()
        headers = {"A2A-Version": version, "Accept": "application/json", **shown.headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        merged = httpx.URL(url).copy_merge_params({**(query or {}), **shown.query})
        return self._client.build_request(method, merged, headers=headers, content=body)

    def _address(self, path: str = "") -> str:
        interface = self._target.interface
        tenant = f"/{quote(interface.tenant, safe='')}" if interface.tenant and not self._is_rpc else ""
        return interface.url if self._is_rpc else f"{interface.url.rstrip('/')}{tenant}{path}"

    # -- how they are read

    async def _read(self, request: httpx.Request) -> Reply:
        async with self._open(request, is_rpc=self._is_rpc) as (answer, exchange):
            return self._reply(answer, exchange, (await answer.aread()).decode("utf-8", "replace"))

    @asynccontextmanager
    async def _open(self, request: httpx.Request, *, is_rpc: bool) -> AsyncIterator[tuple[httpx.Response, str]]:
        asked = self._shown_request(request)
        try:
            answer = await self._client.send(request, stream=True)
            try:
                yield answer, asked
            finally:
                await answer.aclose()
        except (httpx.HTTPError, httpx.StreamError) as error:
            text = str(error) or "There was no answer."
            raise NoReply(text, Exchange(asked, text)) from error

    def _reply(self, answer: httpx.Response, asked: str, body: str, is_rpc: bool | None = None) -> Reply:
        exchange = Exchange(asked, cut(self._shown_response(answer, body), MAX_RESPONSE_CHARS))
        is_rpc = self._is_rpc if is_rpc is None else is_rpc
        return Reply(answer.status_code, answer.headers, _loads(body), exchange, is_rpc)

    def _shown_request(self, request: httpx.Request) -> str:
        url = mask_text(str(request.url), self._target.secrets)
        head = f"{request.method} {url}\n{self._shown_headers(request.headers)}"
        body = mask_text(request.content.decode("utf-8", "replace"), self._target.secrets)
        return cut(f"{head}\n\n{body}" if body else head, MAX_REQUEST_CHARS)

    def _shown_response(self, answer: httpx.Response, body: str) -> str:
        head = f"HTTP {answer.status_code}\n{self._shown_headers(answer.headers)}"
        return f"{head}\n\n{mask_text(body, self._target.secrets)}"

    def _shown_headers(self, headers: httpx.Headers) -> str:
        lines = [
            f"{name}: {mask_header(name, value, self._target.secrets)}"
            for name, value in headers.items()
            if name not in SILENT_HEADERS
        ]
        return "\n".join(lines)


def state_of(status: Any) -> str:
    """A TaskStatus's state without its prefix: COMPLETED."""
    state = status.get("state") if isinstance(status, dict) else None
    return str(state or "").removeprefix("TASK_STATE_")


def _events(lines: list[str], is_rpc: bool) -> list[Any]:
    found = [_loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]
    return [each.get("result", each) if is_rpc and isinstance(each, dict) else each for each in found]


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | int) else str(value)
