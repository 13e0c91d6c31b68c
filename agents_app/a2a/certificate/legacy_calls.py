"""Calls of A2A 0.3 in each of its bindings, by the client that speaks it for this server; what passes by is read along.

What comes back is in the JSON of 1.0, so that the same probes can judge it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple

import grpc
import httpx
from a2a.client.client import ClientCallContext
from a2a.compat.v0_3.grpc_transport import CompatGrpcTransport
from a2a.compat.v0_3.jsonrpc_transport import CompatJsonRpcTransport
from a2a.compat.v0_3.rest_transport import CompatRestTransport
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import A2AError
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from agents_app.a2a.certificate.calls import ERRORS, Calls, NoReply, Reply, Target
from agents_app.a2a.certificate.findings import Exchange
from agents_app.a2a.certificate.grpc_calls import BROKEN as BROKEN_BYTES
from agents_app.a2a.certificate.grpc_calls import GrpcLine, answered, metadata_of, refusal
from agents_app.a2a.certificate.http_calls import BROKEN, http_reply
from agents_app.a2a.certificate.passing_by import NO_ANSWER, HttpPassing
from agents_app.a2a.client.credentials import Shown
from agents_app.a2a.protojson import to_json

LEGACY_VERSION = "0.3"
SERVICE = "a2a.v1.A2AService"
# What the SDK's parsers raise on JSON that is not A2A; each of them happens.
UNPARSED = (ParseError, ValueError, TypeError, KeyError, AttributeError)
UNREADABLE = "What it sent is not what A2A 0.3 says."


class Spoken(NamedTuple):
    method: str  # of the SDK's transports
    request: type[Message]

    def read(self, params: Mapping[str, Any]) -> Message:
        request = ParseDict(dict(params), self.request())
        if isinstance(request, pb.SendMessageRequest):
            request.configuration.SetInParent()  # without one nobody waits for the end: blocking is false in protobuf
        return request


SPOKEN = {
    "SendMessage": Spoken("send_message", pb.SendMessageRequest),
    "SendStreamingMessage": Spoken("send_message_streaming", pb.SendMessageRequest),
    "GetTask": Spoken("get_task", pb.GetTaskRequest),
    "CancelTask": Spoken("cancel_task", pb.CancelTaskRequest),
    "SubscribeToTask": Spoken("subscribe", pb.SubscribeToTaskRequest),
    "CreateTaskPushNotificationConfig": Spoken("create_task_push_notification_config", pb.TaskPushNotificationConfig),
    "GetTaskPushNotificationConfig": Spoken(
        "get_task_push_notification_config", pb.GetTaskPushNotificationConfigRequest
    ),
    "ListTaskPushNotificationConfigs": Spoken(
        "list_task_push_notification_configs", pb.ListTaskPushNotificationConfigsRequest
    ),
    "DeleteTaskPushNotificationConfig": Spoken(
        "delete_task_push_notification_config", pb.DeleteTaskPushNotificationConfigRequest
    ),
    "GetExtendedAgentCard": Spoken("get_extended_agent_card", pb.GetExtendedAgentCardRequest),
}
NOT_OVER_HTTP_JSON = ("ListTaskPushNotificationConfigs", "DeleteTaskPushNotificationConfig")


class LegacyCalls(Calls):
    """What the bindings share. `_answered` and `_refusal` know what passed by."""

    _speaking: Any  # the SDK's transport; over gRPC not before the first call

    def __init__(self, target: Target) -> None:
        self._target = target
        self._is_rest = target.interface.binding == "HTTP+JSON"

    def has(self, operation: str) -> bool:
        return operation in SPOKEN and not (self._is_rest and operation in NOT_OVER_HTTP_JSON)

    async def call(
        self, operation: str, params: Mapping[str, Any], *, credentials: bool = True, version: str = LEGACY_VERSION
    ) -> Reply:
        """A client of 0.3 says its version, and no other."""
        spoken = SPOKEN[operation]
        request = spoken.read(params)
        context = self._context(self._target.shown if credentials else Shown())
        await self._open()
        method: Callable[..., Awaitable[Any]] = getattr(self._speaking, spoken.method)
        try:
            answer = await method(request, context=context)
        except A2AError as error:
            return await self._refusal(error)
        except UNPARSED as error:
            raise NoReply(UNREADABLE, await self._exchange()) from error
        return await self._answered(to_json(answer) if answer is not None else {})

    async def stream(self, operation: str, params: Mapping[str, Any]) -> Reply:
        spoken = SPOKEN[operation]
        request = spoken.read(params)
        context = self._context(self._target.shown)
        await self._open()
        method: Callable[..., AsyncIterator[Message]] = getattr(self._speaking, spoken.method)
        events: list[Any] = []
        try:
            async with aclosing(method(request, context=context)) as stream:  # type: ignore[type-var]
                async for event in stream:
                    events.append(to_json(event))  # noqa: PERF401  (what came before an error counts)
        except A2AError as error:
            reply = await self._refusal(error)
        except UNPARSED as error:
            raise NoReply(UNREADABLE, await self._exchange()) from error
        else:
            reply = await self._answered({})
        reply.events.extend(events)
        return reply

    @abstractmethod
    def _context(self, shown: Shown) -> ClientCallContext: ...

    async def _open(self) -> None:
        return None

    @abstractmethod
    async def _exchange(self) -> Exchange: ...

    @abstractmethod
    async def _answered(self, result: Any) -> Reply: ...

    @abstractmethod
    async def _refusal(self, error: A2AError) -> Reply:
        """Raises `NoReply` when it is none: nobody has answered."""


class LegacyHttpCalls(LegacyCalls):
    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._client = target.open_client()
        self._passing = HttpPassing(self._client, target.secrets)
        kind = CompatRestTransport if self._is_rest else CompatJsonRpcTransport
        self._speaking = kind(self._client, None, target.interface.url)

    async def call_unknown(self) -> Reply:
        rpc = b'{"jsonrpc": "2.0", "id": 1, "method": "NoSuchMethod", "params": {}}'
        return await self._post("/v1/no/such/method", b"{}" if self._is_rest else rpc)

    async def send_broken(self) -> Reply:
        return await self._post("/v1/message:send", BROKEN)

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, path: str, body: bytes) -> Reply:
        url = self._target.interface.url
        headers = {"Content-Type": "application/json", **(self._context(self._target.shown).service_parameters or {})}
        try:
            await self._client.post(f"{url.rstrip('/')}{path}" if self._is_rest else url, headers=headers, content=body)
        except httpx.HTTPError as error:
            raise NoReply(str(error) or NO_ANSWER, self._passing.exchange) from error
        return self._reply()

    def _context(self, shown: Shown) -> ClientCallContext:
        self._passing.query = shown.query
        return ClientCallContext(service_parameters=dict(shown.headers))

    async def _exchange(self) -> Exchange:
        return self._passing.exchange

    async def _answered(self, result: Any) -> Reply:
        return replace(self._reply(), result=result, is_refused=False)

    async def _refusal(self, error: A2AError) -> Reply:
        reply = self._reply(str(error))
        errors = _named(error)
        if self._is_rest and errors <= {"MethodNotFound"}:  # so the SDK calls every 404 that says nothing more
            errors = reply.errors
        return replace(reply, result=None, is_refused=True, errors=errors)

    def _reply(self, words: str = NO_ANSWER) -> Reply:
        answer = self._passing.answer
        if answer is None:
            raise NoReply(words, self._passing.exchange)
        return http_reply(answer, self._passing.body, self._passing.exchange, is_rpc=not self._is_rest)


class LegacyGrpcCalls(LegacyCalls):
    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._line = GrpcLine(target)

    async def call_unknown(self) -> Reply:
        return await self._line.send_bytes(f"/{SERVICE}/NoSuchMethod", b"", LEGACY_VERSION)

    async def send_broken(self) -> Reply:
        return await self._line.send_bytes(f"/{SERVICE}/SendMessage", BROKEN_BYTES, LEGACY_VERSION)

    async def close(self) -> None:
        await self._line.close()

    def _context(self, shown: Shown) -> ClientCallContext:
        given = metadata_of(shown, LEGACY_VERSION)
        return ClientCallContext(service_parameters={name: value for name, value in given if name != "a2a-version"})

    async def _open(self) -> None:
        self._channel = await self._line.open()
        self._speaking = CompatGrpcTransport(self._channel, None)

    async def _exchange(self) -> Exchange:
        return await self._channel.exchange()

    async def _answered(self, result: Any) -> Reply:
        return await answered(result, self._channel)

    async def _refusal(self, error: A2AError) -> Reply:
        told = error.__cause__
        assert isinstance(told, grpc.aio.AioRpcError)  # the transport makes its errors of nothing else
        reply = await refusal(told, self._channel)
        return replace(reply, errors=_named(error) or reply.errors)


def _named(error: A2AError) -> frozenset[str]:
    """Which error the SDK has read out of an answer; none: it could not tell."""
    return frozenset({type(error).__name__.removesuffix("Error")} & ERRORS.keys())
