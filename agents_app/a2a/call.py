"""One call of an agent over HTTP: what the bindings have in common."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from functools import cached_property
from typing import Any
from uuid import UUID

from a2a.utils.errors import A2AError, InternalError
from opentelemetry.trace import SpanKind

from accounts import tracing
from accounts.context import bind
from agents_app.a2a import wire_log
from agents_app.a2a.admission import Admission
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import Refusal
from agents_app.a2a.http import FAILED, Frames, Request, Response, Send, send_events
from agents_app.a2a.negotiation import (
    LEGACY_EXTENSIONS,
    active_extensions,
    named_extensions,
    require_current,
    require_extensions,
)
from agents_app.a2a.open_streams import OpenStream
from agents_app.a2a.operations import Operations, Stream
from agents_app.a2a.streams import StreamEvent
from agents_app.a2a.wire_log import Capture, task_of
from agents_app.models import Agent
from agents_app.signals import call_answered

logger = logging.getLogger(__name__)

Encode = Callable[[StreamEvent], bytes]


class OpenedStream:
    """A stream whose first events are there. `encode`: an event as its binding tells it."""

    def __init__(self, events: Stream, encode: Encode, place: AbstractContextManager[OpenStream]) -> None:
        self.events = events
        self.encode = encode
        self.first: list[StreamEvent] = []
        self._stack = ExitStack()
        self._place = self._stack.enter_context(place)

    async def begin(self) -> None:
        self.first = await anext(self.events, [])

    def check(self) -> None:
        """Raises `Unauthenticated`."""
        self._place.check()

    async def close(self) -> None:
        self._stack.close()
        await self.events.aclose()


class Call(ABC):
    """`answer` and `failed` are the binding's; what goes wrong in the one is told by the other."""

    binding = ""

    def __init__(self, admission: Admission, request: Request, agent: Agent) -> None:
        self.admission = admission
        self.request = request
        self.agent = agent
        self.operations = Operations(agent, request.base)
        self.operation = ""
        self.task_id: UUID | None = None
        self._outcome = "ok"

    async def run(self, send: Send) -> None:
        came_from = self.request.headers.get(tracing.HEADER, "")
        with tracing.span("a2a.call", parent=came_from, kind=SpanKind.SERVER, binding=self.binding) as span:
            await self._run(send)
            span.note(agent=self.agent.id, operation=self.operation, task=self.task_id, outcome=self._outcome)
            if self._outcome == "failed":
                span.fail(self._outcome)

    async def _run(self, send: Send) -> None:
        try:
            answer = await self.answer()
        except (A2AError, Refusal) as error:
            self._outcome = "failed" if isinstance(error, InternalError) else "refused"
            answer = self.failed(error)
        except Exception:  # no exception's text leaves the server
            logger.exception("An A2A call failed.", extra={"action": "a2a.failed"})
            self._outcome = "failed"
            answer = self.failed(InternalError("The server made a mistake nobody foresaw."))
        if isinstance(answer, Response):
            answer.headers |= self._extensions()
            await answer.send(send)
            self._log(answer.status, answer.headers, answer.body)
        else:
            await self._send_stream(answer, send)

    async def _send_stream(self, stream: OpenedStream, send: Send) -> None:
        capture = Capture()
        try:
            async with aclosing(self._frames(stream, capture)) as frames:
                await send_events(frames, self.request.receive, send, self._extensions())
        finally:
            await stream.close()
            self._log(200, {"content-type": "text/event-stream"}, capture)

    async def _frames(self, stream: OpenedStream, capture: Capture) -> Frames:
        """What goes wrong in the middle is the last event, so that the reader knows that it was not the end."""
        try:
            yield [self._frame(stream, event, capture) for event in stream.first]
            async for events in stream.events:
                stream.check()
                yield [self._frame(stream, event, capture) for event in events]
        except (A2AError, Refusal) as error:
            failed = self.failed(error).body
        except Exception:  # no exception's text leaves the server
            logger.exception("An A2A stream failed.", extra={"action": "a2a.failed"})
            failed = self.failed(InternalError("The server made a mistake nobody foresaw. Subscribe to go on.")).body
        else:
            return
        self._outcome = "failed"
        capture.add(b"\n" + failed)
        yield [(FAILED, failed)]

    def _frame(self, stream: OpenedStream, event: StreamEvent, capture: Capture) -> tuple[str, bytes]:
        if self.task_id is None:
            self.note_task(event.json)
        data = stream.encode(event)
        capture.add(b"\n" + data if capture.size else data)
        return event.id, data

    async def open_stream(self, events: Stream, encode: Encode, caller: Caller) -> OpenedStream:
        """With its first events: what goes wrong before that is an answer like any other."""
        stream = OpenedStream(events, encode, self.admission.one_more_stream(caller))
        try:
            await stream.begin()
        except BaseException:
            await stream.close()
            raise
        return stream

    @abstractmethod
    async def answer(self) -> Response | OpenedStream: ...

    @abstractmethod
    def failed(self, error: A2AError | Refusal) -> Response: ...

    async def admit(self) -> Caller:
        caller = await self.admission.admit(self.request.headers, self.request.address)
        bind(person=caller.user_id, via="a2a")
        return caller

    @property
    def version(self) -> str:
        return self.request.parameter("A2A-Version")

    def check_version(self) -> None:
        require_current(self.version)

    def check_extensions(self) -> None:
        require_extensions(self.agent.id, self._asked)

    @cached_property
    def _asked(self) -> set[str]:
        headers = self.request.headers
        return named_extensions(self.request.parameter("A2A-Extensions") or headers.get(LEGACY_EXTENSIONS, ""))

    def _extensions(self) -> dict[str, str]:
        return active_extensions(self._asked) if self._asked else {}

    def _log(self, status: int, headers: dict[str, str], body: bytes | Capture) -> None:
        seconds = time.monotonic() - self.request.begun
        call_answered.send(
            sender=Call, binding=self.binding, operation=self.operation, outcome=self._outcome, seconds=seconds
        )
        if not wire_log.is_on():
            return
        request = self.request
        query = f"?{request.query.decode('latin-1')}" if request.query else ""
        wire_log.record(
            direction="in",
            binding=self.binding,
            operation=self.operation,
            method=request.method,
            url=f"{request.path}{query}",
            request_headers=request.headers,
            request_body=request.body,
            status=status,
            response_headers=headers,
            response_body=body,
            milliseconds=seconds * 1000,
            task_id=self.task_id,
            agent_id=self.agent.id,
        )

    def note_task(self, result: Any) -> None:
        """Whose wire log this belongs to."""
        self.task_id = self.operations.task_id or task_of(result)
