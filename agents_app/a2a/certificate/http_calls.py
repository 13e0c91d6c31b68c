"""Calls of A2A 1.0 as they are on the wire, in JSON-RPC or HTTP+JSON: nothing is mended, and everything can be shown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from agents_app.a2a.certificate.calls import VERSION, Calls, NoReply, Reply, Target, errors_of
from agents_app.a2a.certificate.findings import Exchange
from agents_app.a2a.certificate.passing_by import NO_ANSWER, request_text, response_text
from agents_app.a2a.client.credentials import Shown

BROKEN = b'{"jsonrpc": "2.0", "id": 1, "method"'

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


class HttpCalls(Calls):
    def __init__(self, target: Target, client: httpx.AsyncClient) -> None:
        self._target = target
        self._client = client
        self._is_rpc = target.interface.binding == "JSONRPC"

    async def call(
        self, operation: str, params: Mapping[str, Any], *, credentials: bool = True, version: str = VERSION
    ) -> Reply:
        return await self._read(self._request(operation, params, credentials, version))

    async def call_unknown(self) -> Reply:
        return await self.call("NoSuchMethod", {})

    async def send_broken(self) -> Reply:
        url = self._address("" if self._is_rpc else "/message:send")
        return await self._read(self._build("POST", url, True, VERSION, BROKEN))

    async def stream(self, operation: str, params: Mapping[str, Any]) -> Reply:
        request = self._request(operation, params, True, VERSION)
        request.headers["accept"] = "text/event-stream"
        async with opened(self._client, request, self._target.secrets) as (answer, asked):
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                return self._reply(answer, asked, (await answer.aread()).decode("utf-8", "replace"))
            lines = [line async for line in answer.aiter_lines()]
            reply = self._reply(answer, asked, "\n".join(lines))
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
        async with opened(self._client, request, self._target.secrets) as (answer, asked):
            return self._reply(answer, asked, (await answer.aread()).decode("utf-8", "replace"))

    def _reply(self, answer: httpx.Response, asked: str, body: str) -> Reply:
        exchange = Exchange(asked, response_text(answer, body, self._target.secrets))
        return http_reply(answer, body, exchange, is_rpc=self._is_rpc)


async def fetch(target: Target, client: httpx.AsyncClient, url: str) -> Reply:
    """A document that needs no credentials. Raises `NoReply`."""
    async with opened(client, client.build_request("GET", url), target.secrets) as (answer, asked):
        body = (await answer.aread()).decode("utf-8", "replace")
        return http_reply(answer, body, Exchange(asked, response_text(answer, body, target.secrets)), is_rpc=False)


@asynccontextmanager
async def opened(
    client: httpx.AsyncClient, request: httpx.Request, secrets: tuple[str, ...]
) -> AsyncIterator[tuple[httpx.Response, str]]:
    """The answer, not yet read, and the request as it looked."""
    asked = request_text(request, secrets)
    try:
        answer = await client.send(request, stream=True)
        try:
            yield answer, asked
        finally:
            await answer.aclose()
    except (httpx.HTTPError, httpx.StreamError) as error:
        text = str(error) or NO_ANSWER
        raise NoReply(text, Exchange(asked, text)) from error


def http_reply(answer: httpx.Response, body: str, exchange: Exchange, *, is_rpc: bool) -> Reply:
    found = _loads(body)
    error = found.get("error") if isinstance(found, dict) else None
    result = found.get("result") if is_rpc and isinstance(found, dict) else found
    return Reply(
        result=result if isinstance(found, dict) and answer.status_code < 400 else None,
        exchange=exchange,
        status=answer.status_code,
        said=_said(answer.status_code, found, error),
        errors=_errors(answer.status_code, error, is_rpc),
        is_refused=answer.status_code >= 400 or bool(error),
        headers=answer.headers,
    )


def _said(status: int, found: Any, error: Any) -> str:
    if isinstance(error, dict):
        return f"error {error.get('code')}: {str(error.get('message', ''))[:200]}"
    return f"HTTP {status}" + ("" if found is not None else ", without any JSON")


def _errors(status: int, error: Any, is_rpc: bool) -> frozenset[str]:
    if is_rpc:
        return errors_of(number=error.get("code")) if isinstance(error, dict) else frozenset()
    details = error.get("details") if isinstance(error, dict) else None
    reasons = [str(each.get("reason")) for each in details or () if isinstance(each, dict) and each.get("reason")]
    return errors_of(status=status, reason=reasons[0] if reasons else "")


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
