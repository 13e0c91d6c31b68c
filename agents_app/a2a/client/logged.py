"""Puts what goes over a line into the wire log."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from agents_app.a2a import wire_log
from agents_app.models import WireMessage


@dataclass
class LineLog:
    """What belongs to every exchange of one line. `operation` is the one that goes on: a line has one at a time."""

    agent_id: str
    binding: str
    task_id: UUID | None = None
    secrets: Sequence[str] = ()
    operation: str = field(default="", init=False)

    def record(self, began: float, **exchange: Any) -> None:
        wire_log.record(
            direction=WireMessage.Direction.OUT,
            binding=self.binding,
            operation=self.operation,
            milliseconds=(time.perf_counter() - began) * 1000,
            task_id=self.task_id,
            agent_id=self.agent_id,
            secrets=self.secrets,
            **exchange,
        )

    def record_grpc(self, began: float, url: str, request: Message, answers: Iterable[Message], error: str) -> None:
        """There is no wire to read along with: the messages as JSON."""
        if wire_log.is_on():
            said = "\n".join(MessageToJson(answer, indent=None) for answer in answers)
            body = "\n".join(filter(None, (said, error)))
            self.record(began, url=url, request_body=MessageToJson(request, indent=None), response_body=body)


class LoggedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, log: LineLog) -> None:
        self._inner = inner
        self._log = log

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        began = time.perf_counter()
        asked = {
            "method": request.method,
            "url": str(request.url),
            "request_headers": request.headers.raw,
            "request_body": request.content,
        }
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError as error:
            self._log.record(began, **asked, response_body=str(error))
            raise
        answered = {"status": response.status_code, "response_headers": response.headers.raw}
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _LoggedBody(response.stream, self._log, began, asked | answered)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _LoggedBody(httpx.AsyncByteStream):
    """Records the exchange when its body ends, or is given up."""

    def __init__(self, inner: httpx.AsyncByteStream, log: LineLog, began: float, exchange: dict[str, Any]) -> None:
        self._inner = inner
        self._log = log
        self._began = began
        self._exchange: dict[str, Any] | None = exchange
        self._body = wire_log.Capture()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._inner:
            self._body.add(data)
            yield data

    async def aclose(self) -> None:
        await self._inner.aclose()
        if self._exchange is not None:
            self._log.record(self._began, **self._exchange, response_body=self._body)
            self._exchange = None
