"""Calls over gRPC, of A2A 1.0: bare messages by the names of the service, without any client's help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from a2a.types import a2a_pb2
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from agents_app.a2a.certificate.calls import VERSION, Calls, NoReply, Reply, Target, errors_of
from agents_app.a2a.certificate.findings import Exchange
from agents_app.a2a.certificate.passing_by import NO_ANSWER, STATUS_DETAILS, GrpcPassing
from agents_app.a2a.client.credentials import Shown
from agents_app.a2a.client.errors import RemoteError
from agents_app.a2a.client.line import open_channel
from agents_app.a2a.protojson import to_json

SERVICE = a2a_pb2.DESCRIPTOR.services_by_name["A2AService"]
UNREADABLE = "What it sent is not what A2A says, or far too much."
BROKEN = b"\xff\xff\xff"  # a field that never ends
# Protobuf does not send what is empty, so the reader cannot tell it from what was left out.
ALWAYS_THERE = {"ListTasks": {"tasks": [], "nextPageToken": "", "pageSize": 0, "totalSize": 0}}
NOT_THERE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# The numbers of HTTP that stand for gRPC's codes, where they are neither the caller's mistake (400) nor the server's (500).
STATUSES = {
    "OK": 200,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "UNIMPLEMENTED": 404,
    "RESOURCE_EXHAUSTED": 429,
}
BROKEN_CODES = ("UNKNOWN", "INTERNAL", "DATA_LOSS")


class GrpcCalls(Calls):
    def __init__(self, target: Target) -> None:
        self._target = target
        self._line = GrpcLine(target)

    async def call(
        self, operation: str, params: Mapping[str, Any], *, credentials: bool = True, version: str = VERSION
    ) -> Reply:
        channel = await self._line.open()
        method = SERVICE.methods_by_name[operation]
        call = channel.unary_unary(_path(operation), type(self._request(method, {})).SerializeToString, _reader(method))
        metadata = metadata_of(self._target.shown if credentials else Shown(), version)
        try:
            answer = await call(self._request(method, params), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return await refusal(error, channel)
        return await answered(ALWAYS_THERE.get(operation, {}) | await _read(answer, channel), channel)

    async def stream(self, operation: str, params: Mapping[str, Any]) -> Reply:
        channel = await self._line.open()
        method = SERVICE.methods_by_name[operation]
        request = self._request(method, params)
        call = channel.unary_stream(_path(operation), type(request).SerializeToString, _reader(method))
        events: list[Any] = []
        try:
            async for event in call(request, metadata=metadata_of(self._target.shown, VERSION)):
                events.append(await _read(event, channel))  # noqa: PERF401  (what came before an error counts)
        except grpc.aio.AioRpcError as error:
            reply = await refusal(error, channel)
        else:
            reply = await answered({}, channel)
        reply.events.extend(events)
        return reply

    async def call_unknown(self) -> Reply:
        return await self._line.send_bytes(_path("NoSuchMethod"), b"", VERSION)

    async def send_broken(self) -> Reply:
        return await self._line.send_bytes(_path("SendMessage"), BROKEN, VERSION)

    async def close(self) -> None:
        await self._line.close()

    def _request(self, method: Any, params: Mapping[str, Any]) -> Message:
        tenant = self._target.interface.tenant
        named = {**params, "tenant": tenant} if tenant else dict(params)
        return ParseDict(named, GetMessageClass(method.input_type)())


class GrpcLine:
    """A channel that is opened by the first call."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel: GrpcPassing | None = None

    async def open(self) -> GrpcPassing:
        """Raises `NoReply`."""
        interface = self._target.interface
        if self._channel is None:
            try:
                channel = await open_channel(interface, self._target.shown.certificate)
            except RemoteError as error:
                raise NoReply(str(error), Exchange(f"gRPC {interface.url}", str(error))) from error
            self._channel = GrpcPassing(channel, interface.url, self._target.secrets)
        return self._channel

    async def send_bytes(self, path: str, body: bytes, version: str) -> Reply:
        """Whatever it is. Raises `NoReply`."""
        channel = await self.open()
        call = channel.unary_unary(path, bytes, Empty.FromString)
        try:
            await call(body, metadata=metadata_of(self._target.shown, version))
        except grpc.aio.AioRpcError as error:
            return await refusal(error, channel)
        return await answered({}, channel)

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()


async def _read(message: Message | None, channel: GrpcPassing) -> Any:
    """Raises `NoReply`."""
    if message is None:
        raise NoReply(UNREADABLE, await channel.exchange())
    return to_json(message)


async def answered(result: Any, channel: GrpcPassing) -> Reply:
    return Reply(result, await channel.exchange(), 200, "OK", "an answer")


async def refusal(error: grpc.aio.AioRpcError, channel: GrpcPassing) -> Reply:
    """Raises `NoReply` when it is none: nobody has answered."""
    exchange, words = await channel.exchange(), str(error.details() or "")[:200]
    if error.code() in NOT_THERE:
        raise NoReply(words or NO_ANSWER, exchange) from error
    code = error.code().name
    status = STATUSES.get(code, 500 if code in BROKEN_CODES else 400)
    errors = errors_of(code=code, reason=_reason(error))
    return Reply(None, exchange, status, code, f"{code}: {words}", errors, is_refused=True)


def metadata_of(shown: Shown, version: str) -> tuple[tuple[str, str], ...]:
    """gRPC's addresses have no query: what was to stand there is metadata, too."""
    given = {"a2a-version": version, **shown.query, **shown.headers}
    return tuple((name.lower(), value) for name, value in given.items())


def _path(operation: str) -> str:
    return f"/{SERVICE.full_name}/{operation}"


def _reader(method: Any) -> Any:
    return GetMessageClass(method.output_type).FromString


def _reason(error: grpc.aio.AioRpcError) -> str:
    """Which of A2A's own errors it says it is; empty: it does not say."""
    details = dict(error.trailing_metadata() or ()).get(STATUS_DETAILS, b"")
    info = error_details_pb2.ErrorInfo()
    try:
        status = status_pb2.Status.FromString(details if isinstance(details, bytes) else b"")
        found = any(detail.Unpack(info) for detail in status.details)
    except DecodeError:
        return ""
    return info.reason if found else ""
