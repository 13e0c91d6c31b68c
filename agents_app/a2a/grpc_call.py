"""One gRPC call: who calls, which agent, and what is written down of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import grpc
from a2a.utils.errors import A2AError
from django.conf import settings
from google.protobuf.json_format import MessageToJson, ParseDict
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.trace import SpanKind

from accounts import tracing
from agents_app.a2a import wire_log
from agents_app.a2a.admission import Admission
from agents_app.a2a.caller import Caller
from agents_app.a2a.directory import find_agent, find_default_agent
from agents_app.a2a.errors import NoSuchAddress, Refusal, http_status, rest_error
from agents_app.a2a.negotiation import (
    LEGACY_EXTENSIONS,
    active_extensions,
    named_extensions,
    require_current,
    require_extensions,
    require_legacy,
)
from agents_app.a2a.open_streams import OpenStream
from agents_app.a2a.operations import Operations
from agents_app.a2a.protojson import Json
from agents_app.a2a.schema import read_tenant
from agents_app.a2a.wire_log import Capture, task_of
from agents_app.models import Agent
from agents_app.signals import call_answered

LEGACY_SERVICE = "a2a.v1.A2AService"
AGENT = "x-a2a-agent"
STATUS_DETAILS = "grpc-status-details-bin"
DETAILS = (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo)  # known by name now

Metadata = tuple[tuple[str, str | bytes], ...]


class GrpcCall:
    """Stands for the SDK's servicers in the place of grpc's context: they ask it for metadata only."""

    operations: Operations
    caller: Caller
    place: OpenStream  # of a stream

    def __init__(self, admission: Admission, path: str, context: Any) -> None:
        service, _, self.operation = path.removeprefix("/").partition("/")
        self.is_legacy = service == LEGACY_SERVICE
        self._admission = admission
        self._path = path
        self._context = context
        self._begun = time.monotonic()
        self._agent_id = ""
        self._task_id: UUID | None = None
        self._sent = Capture()
        self._is_logged = False
        self._outcome = ""
        self.has_sent = False

    def invocation_metadata(self) -> Any:
        return self._context.invocation_metadata()

    @cached_property
    def headers(self) -> dict[str, str]:
        """Metadata as text; binary values are not for us."""
        headers: dict[str, str] = {}
        for name, value in self._context.invocation_metadata() or ():
            if isinstance(value, str):
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def asked_extensions(self) -> set[str]:
        return named_extensions(self.headers.get("a2a-extensions") or self.headers.get(LEGACY_EXTENSIONS, ""))

    @contextmanager
    def traced(self) -> Iterator[None]:
        """While it is answered."""
        came_from = self.headers.get(tracing.HEADER, "")
        with tracing.span("a2a.call", parent=came_from, kind=SpanKind.SERVER, binding="GRPC") as span:
            try:
                yield
            finally:
                span.note(agent=self._agent_id, operation=self.operation, task=self._task_id, outcome=self._outcome)

    async def enter(self, request: Any) -> None:
        """Raises `A2AError` and `Refusal`."""
        caller = await self._admission.admit(self.headers, address_of(self._context.peer()))
        (require_legacy if self.is_legacy else require_current)(self.headers.get("a2a-version", ""))
        agent, tenant = await self._find_agent(getattr(request, "tenant", ""))
        self._agent_id = agent.id
        require_extensions(agent.id, self.asked_extensions)
        self.operations = Operations(agent, settings.PUBLIC_URL)
        caller = caller.in_tenant(read_tenant({"tenant": tenant}))
        self.caller = caller.of_legacy() if self.is_legacy else caller

    async def _find_agent(self, tenant: str) -> tuple[Agent, str]:
        """One port serves all agents: the metadata names one, or the tenant, as the cards have it; else the default."""
        named = self.headers.get(AGENT, "")
        if not named:
            named, _, tenant = tenant.partition("/")
        agent = await (find_agent(named) if named else find_default_agent())
        if agent is None:
            raise NoSuchAddress(f"There is no agent {named!r}: the tenant is an agent's id, or <agent>/<tenant>.")
        return agent, tenant

    def check(self) -> None:
        """Raises `Unauthenticated`."""
        self.place.check()

    def note(self, result: Json) -> None:
        """Whose wire log this belongs to."""
        self._task_id = self._task_id or task_of(result)

    def sent(self, response: Message) -> None:
        self.has_sent = True
        if wire_log.is_on():
            self._sent.add((b"\n" if self._sent.size else b"") + _text(response))

    def log(self, request: Any, status: int, failure: bytes = b"") -> None:
        """Once: the first says how it ended."""
        if self._is_logged:
            return
        self._is_logged = True
        seconds = time.monotonic() - self._begun
        self._outcome = outcome = "ok" if status < 400 else "refused" if status < 500 else "failed"
        call_answered.send(sender=GrpcCall, binding="GRPC", operation=self.operation, outcome=outcome, seconds=seconds)
        if not wire_log.is_on():
            return
        wire_log.record(
            direction="in",
            binding="GRPC",
            operation=self.operation,
            url=self._path,
            request_headers=self.headers,
            request_body=_text(request),
            status=status,
            response_headers=dict(self.leading_metadata()),
            response_body=failure or self._sent,
            milliseconds=seconds * 1000,
            task_id=self._task_id,
            agent_id=self._agent_id,
        )

    def leading_metadata(self) -> Iterable[tuple[str, str]]:
        return tuple(active_extensions(self.asked_extensions).items())


def status_of(error: A2AError | Refusal, *, is_legacy: bool) -> tuple[grpc.StatusCode, str, Metadata, int]:
    """How gRPC tells of an error: code, message and trailing metadata with google.rpc.Status; and HTTP's number for it."""
    told = rest_error(error)["error"]
    code = grpc.StatusCode[told["status"]]
    message = (
        f"{type(error).__name__}: {told['message']}" if is_legacy else told["message"]
    )  # 0.3 reads its class there
    details = {"code": code.value[0], "message": message, "details": told["details"]}
    status = ParseDict(details, status_pb2.Status()).SerializeToString()
    headers = error.headers.items() if isinstance(error, Refusal) else ()
    return code, message, (*headers, (STATUS_DETAILS, status)), http_status(error)


def address_of(peer: str) -> str:
    """`ipv4:127.0.0.1:50000` or `ipv6:%5B::1%5D:50000` as an address; empty for what is none."""
    kind, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]") if kind in ("ipv4", "ipv6") else ""


def _text(message: Any) -> bytes:
    return MessageToJson(message, indent=None, ensure_ascii=False).encode("utf-8", "replace")
