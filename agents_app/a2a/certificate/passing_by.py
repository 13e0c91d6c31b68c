"""Reads along with what passes by, whoever sends it, and shows it as text: secrets masked, not longer than a page bears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import grpc
import httpx
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from agents_app.a2a.certificate.findings import Exchange, cut
from agents_app.a2a.masking import mask_header, mask_text

MAX_REQUEST_CHARS = 3_000
MAX_RESPONSE_CHARS = 6_000
MAX_ANSWER_BYTES = 4 * 1024 * 1024
SILENT_HEADERS = ("accept-encoding", "connection")
STATUS_DETAILS = "grpc-status-details-bin"
DETAILS = (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest)  # known by name now
NO_ANSWER = "There was no answer."


def request_text(request: httpx.Request, secrets: Sequence[str]) -> str:
    first = f"{request.method} {mask_text(str(request.url), secrets)}"
    body = request.content.decode("utf-8", "replace")
    return _text(first, request.headers.items(), body, secrets, MAX_REQUEST_CHARS)


def response_text(answer: httpx.Response, body: str, secrets: Sequence[str]) -> str:
    return _text(f"HTTP {answer.status_code}", answer.headers.items(), body, secrets, MAX_RESPONSE_CHARS)


class HttpPassing:
    """The last exchange of a client."""

    def __init__(self, client: httpx.AsyncClient, secrets: Sequence[str]) -> None:
        client.event_hooks = {"request": [self._asked], "response": [self._answered]}
        self.query: Mapping[str, str] = {}  # what goes with every call
        self.answer: httpx.Response | None = None
        self._secrets = secrets
        self._request = ""
        self._body = bytearray()

    @property
    def body(self) -> str:
        return self._body.decode("utf-8", "replace")

    @property
    def exchange(self) -> Exchange:
        if self.answer is None:
            return Exchange(self._request, NO_ANSWER)
        return Exchange(self._request, response_text(self.answer, self.body, self._secrets))

    async def _asked(self, request: httpx.Request) -> None:
        request.headers["accept-encoding"] = "identity"  # so that what passes by can be read
        if self.query:
            request.url = request.url.copy_merge_params(self.query)
        self._request, self.answer, self._body = request_text(request, self._secrets), None, bytearray()

    async def _answered(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self.answer = response
        response.stream = _Heard(response.stream, self._body)


class _Heard(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, heard: bytearray) -> None:
        self._inner = inner
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._inner:
            self._heard += data
            yield data

    async def aclose(self) -> None:
        await self._inner.aclose()


class GrpcPassing:
    """A channel, with the last exchange over it. There is no text on its wire: messages are shown as their JSON.

    An answer that cannot be read, or is longer than anybody needs, is None to whoever has called.
    """

    def __init__(self, channel: grpc.aio.Channel, url: str, secrets: Sequence[str]) -> None:
        self._channel = channel
        self._url = url
        self._secrets = secrets
        self._request = ""
        self._came: list[Any] = []
        self._bytes = 0
        self._call: Any = None

    def unary_unary(self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        return self._heard(self._channel.unary_unary, path, request_serializer, response_deserializer)

    def unary_stream(self, path: str, request_serializer: Any, response_deserializer: Any, **_: Any) -> Any:
        return self._heard(self._channel.unary_stream, path, request_serializer, response_deserializer)

    async def exchange(self) -> Exchange:
        if self._call is None:
            return Exchange(self._request, NO_ANSWER)
        body = "\n".join(map(_message_text, self._came))
        if not self._call.done():
            self._call.cancel()
            return Exchange(self._request, _text("gRPC: broken off here", (), body, self._secrets, MAX_RESPONSE_CHARS))
        code, details = await self._call.code(), await self._call.details()
        leading, trailing = await self._call.initial_metadata(), await self._call.trailing_metadata()
        first = f"gRPC {code.name}" + (f": {mask_text(details, self._secrets)}" if details else "")
        shown = [(name, _metadata_text(name, value)) for name, value in (*(leading or ()), *(trailing or ()))]
        return Exchange(self._request, _text(first, shown, body, self._secrets, MAX_RESPONSE_CHARS))

    def _heard(self, open_call: Any, path: str, write: Any, read: Any) -> Any:
        def reading(data: bytes) -> Any:
            self._bytes += len(data)
            if self._bytes > MAX_ANSWER_BYTES:
                return None
            try:
                message = read(data)
            except DecodeError:
                message = None
            self._came.append(data if message is None else message)
            return message

        inner = open_call(path, write, reading)

        def call(request: Any, metadata: Any = (), **more: Any) -> Any:
            first = f"gRPC {self._url} {path}"
            text = _message_text(request)
            self._request = _text(first, metadata, text, self._secrets, MAX_REQUEST_CHARS)
            self._came, self._bytes = [], 0
            self._call = inner(request, metadata=metadata, **more)
            return self._call

        return call

    async def close(self) -> None:
        await self._channel.close()


def _text(first: str, headers: Iterable[tuple[str, str]], body: str, secrets: Sequence[str], chars: int) -> str:
    lines = [f"{name}: {mask_header(name, value, secrets)}" for name, value in headers if name not in SILENT_HEADERS]
    head = "\n".join([first, *lines])
    return cut(f"{head}\n\n{mask_text(body, secrets)}" if body else head, chars)


def _message_text(message: Any) -> str:
    if isinstance(message, Message):
        return MessageToJson(message, indent=None, ensure_ascii=False)
    return repr(message)  # bytes that are no message


def _metadata_text(name: str, value: str | bytes) -> str:
    if isinstance(value, str):
        return value
    if name == STATUS_DETAILS:
        try:
            return MessageToJson(status_pb2.Status.FromString(value), indent=None, ensure_ascii=False)
        except (DecodeError, TypeError):  # no status, or one with details of a kind nobody knows here
            pass
    return repr(value)
