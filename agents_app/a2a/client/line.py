"""A line to one remote agent: the SDK's client, over connections that end only where they may."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from ipaddress import ip_address
from typing import Any, TypeVar
from uuid import UUID

import grpc
import httpx
from a2a.client.client import Client, ClientCallContext, ClientConfig
from a2a.client.client_factory import ClientFactory
from a2a.client.service_parameters import ServiceParametersFactory, with_a2a_extensions
from a2a.types.a2a_pb2 import (
    AgentCard,
    AgentInterface,
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
)
from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from accounts import tracing
from agents_app import outgoing
from agents_app.a2a.client.card_file import BINDINGS, Interface, parse_card
from agents_app.a2a.client.credentials import Shown, show, unseal
from agents_app.a2a.client.errors import Declined, readable_errors
from agents_app.a2a.client.logged import LineLog, LoggedTransport
from agents_app.a2a.client.preview import host_and_port
from agents_app.a2a.extensions import CHAIN
from agents_app.models import RemoteAgent
from agents_app.outgoing.addresses import is_public
from agents_app.outgoing.client_certificate import ClientCertificate
from agents_app.vault import Unreadable

T = TypeVar("T", bound=Message)

CONNECT_SECONDS = 10.0
QUIET_SECONDS = 60.0  # servers say at least a comment every quarter of a minute
CALL_SECONDS = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a whole stream, files in it included
HISTORY = 50
USER_AGENT = "tkr-agent-chat (speaks A2A for the people of a chat server)"


class Line:
    """Calls, with errors in words (`RemoteError`). One at a time."""

    def __init__(self, name: str, interface: Interface, client: Client, shown: Shown, log: LineLog) -> None:
        self._name = name
        self._interface = interface
        self._client = client
        self._log = log
        self._is_grpc = interface.binding == "GRPC"
        parameters = ServiceParametersFactory.create([with_a2a_extensions([CHAIN])])
        if self._is_grpc:  # elsewhere the HTTP client shows them
            parameters |= {name.lower(): value for name, value in {**shown.query, **shown.headers}.items()}
        self._parameters = parameters

    def send(self, request: SendMessageRequest) -> AsyncGenerator[StreamResponse, None]:
        """Say something. Streams when the card says so; else the answer is one task or message, perhaps unfinished."""
        return self._stream("SendMessage", request, self._client.send_message)

    def subscribe(self, task_id: str) -> AsyncGenerator[StreamResponse, None]:
        return self._stream("SubscribeToTask", SubscribeToTaskRequest(id=task_id), self._client.subscribe)

    async def get_task(self, task_id: str) -> Task:
        return await self._call("GetTask", GetTaskRequest(id=task_id, history_length=HISTORY), self._client.get_task)

    async def list_tasks(self, context_id: str) -> ListTasksResponse:
        request = ListTasksRequest(context_id=context_id, history_length=HISTORY, page_size=20)
        return await self._call("ListTasks", request, self._client.list_tasks)

    async def cancel_task(self, task_id: str) -> Task:
        return await self._call("CancelTask", CancelTaskRequest(id=task_id), self._client.cancel_task)

    async def _call(self, operation: str, request: Message, call: Callable[..., Awaitable[T]]) -> T:
        self._log.operation = operation
        with (
            self._span(operation) as span,
            self._logged_grpc(request) as answers,
            readable_errors(self._name),
        ):
            context = self._context(span, CALL_SECONDS if self._is_grpc else None)
            answers.append(answer := await call(request, context=context))
            return answer

    async def _stream(
        self, operation: str, request: Message, call: Callable[..., Any]
    ) -> AsyncGenerator[StreamResponse, None]:
        self._log.operation = operation
        with (
            self._span(operation) as span,
            self._logged_grpc(request) as answers,
            readable_errors(self._name),
        ):
            async with aclosing(call(request, context=self._context(span))) as stream:
                async for event in stream:
                    answers.append(event)
                    yield event

    def _span(self, operation: str) -> tracing.Work:
        span = tracing.span("remote.call", kind=SpanKind.CLIENT, around=False, operation=operation)
        span.note(binding=self._interface.binding, agent=self._log.agent_id)
        return span

    def _context(self, span: tracing.Work, seconds: float | None = None) -> ClientCallContext:
        # Over HTTP the client's own limits hold: one number would stand for connecting as well as for waiting.
        return ClientCallContext(timeout=seconds, service_parameters={**self._parameters, **span.headers})

    def _logged_grpc(self, request: Message) -> _GrpcExchange:
        return _GrpcExchange(self._log if self._is_grpc else None, self._interface.url, request)


class _GrpcExchange:
    """Gathers what is answered, and records it at the end."""

    def __init__(self, log: LineLog | None, url: str, request: Message) -> None:
        self._log = log
        self._url = url
        self._request = request
        self._answers: list[Message] = []
        self._began = time.perf_counter()

    def __enter__(self) -> list[Message]:
        return self._answers

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._log is not None:
            words = str(error) if isinstance(error, Exception) else ""
            self._log.record_grpc(self._began, self._url, self._request, self._answers, words)


@asynccontextmanager
async def open_line(
    remote: RemoteAgent, *, quiet_seconds: float = QUIET_SECONDS, task_id: UUID | None = None
) -> AsyncIterator[Line]:
    """Raises `RemoteError`. The agent's row must be loaded with it. Nothing is connected before the first call."""
    interface = Interface(remote.interface_url, remote.binding, remote.protocol_version, remote.tenant)
    card = with_interface(parse_card(remote.card), interface)
    secrets = _secrets(remote)
    log = LineLog(remote.agent_id, remote.binding, task_id, tuple(secrets.values()))
    shown = show(card, secrets)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(_http_client(shown, log, quiet_seconds))
        channel = await open_channel(interface, shown.certificate) if interface.binding == "GRPC" else None
        config = ClientConfig(
            polling=not card.capabilities.streaming,
            httpx_client=http,
            grpc_channel_factory=lambda _: channel,
            supported_protocol_bindings=list(BINDINGS),
        )
        client = ClientFactory(config).create(card)
        stack.push_async_callback(client.close)
        yield Line(remote.agent.name, interface, client, shown, log)


def with_interface(card: AgentCard, interface: Interface) -> AgentCard:
    """The card as if it offered only the interface that was chosen when it was accepted."""
    del card.supported_interfaces[:]
    card.supported_interfaces.append(
        AgentInterface(
            url=interface.url,
            protocol_binding=interface.binding,
            protocol_version=interface.version,
            tenant=interface.tenant,
        )
    )
    return card


def _secrets(remote: RemoteAgent) -> dict[str, str]:
    try:
        return unseal(remote)
    except Unreadable:
        raise Declined(
            f"The credentials for {remote.agent.name} cannot be read any more. An administrator has to enter them again."
        ) from None


def _http_client(shown: Shown, log: LineLog, quiet_seconds: float) -> httpx.AsyncClient:
    tls = shown.certificate.tls_context() if shown.certificate else None
    return httpx.AsyncClient(
        transport=LoggedTransport(outgoing.CheckedTransport(MAX_ANSWER_BYTES, tls), log),
        timeout=httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS, read=quiet_seconds),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **shown.headers},
        params=dict(shown.query),
        follow_redirects=False,
        trust_env=False,
    )


async def open_channel(interface: Interface, shown: ClientCertificate | None = None) -> grpc.aio.Channel:
    """To the very addresses that were checked; the name stays for TLS and the authority header."""
    with readable_errors(interface.url):
        host, port = host_and_port(interface)
        addresses = await outgoing.resolve(host, port)
    family = "ipv6" if ":" in addresses[0] else "ipv4"
    same = [address for address in addresses if (":" in address) == (family == "ipv6")]
    target = f"{family}:" + ",".join(f"[{a}]:{port}" if family == "ipv6" else f"{a}:{port}" for a in same)
    options = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.default_authority", f"{host}:{port}"),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ]
    if _is_plain(interface.url, addresses):
        return grpc.aio.insecure_channel(target, options)
    options.append(("grpc.ssl_target_name_override", host))
    own = {"private_key": shown.key.encode(), "certificate_chain": shown.chain.encode()} if shown else {}
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(**own), options)


def _is_plain(url: str, addresses: list[str]) -> bool:
    """Without TLS only where the card says so, or inside a network of the operator's own."""
    if scheme := re.match(r"(\w+)://", url):
        return scheme[1] in ("http", "grpc")
    return not any(is_public(ip_address(address)) for address in addresses)
