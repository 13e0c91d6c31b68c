"""The A2A edge: an ASGI application beside Django's, for everything under /a2a/ and the well-known addresses."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Any

from a2a.utils.errors import (
    A2AError,
    ExtensionSupportRequiredError,
    InternalError,
    VersionNotSupportedError,
)

from agents_app import registry
from agents_app.a2a import caller as callers
from agents_app.a2a import http_json, jsonrpc, wire_log
from agents_app.a2a.access import as_uuid
from agents_app.a2a.caller import Caller
from agents_app.a2a.directory import find_agent
from agents_app.a2a.errors import NoSuchAddress, Refusal, Unauthenticated, WrongMethod, http_status, rest_error
from agents_app.a2a.extensions import DECLARED
from agents_app.a2a.http import Frames, Receive, Request, Response, Send, send_events
from agents_app.a2a.limits import OpenStreams, Rates
from agents_app.a2a.operations import Operations, Stream
from agents_app.a2a.served import Served, served_card, served_catalogue, served_keys
from agents_app.a2a.wire_log import Capture
from agents_app.models import Agent
from agents_app.registry import UnknownAgent

logger = logging.getLogger(__name__)

Application = Callable[[Any, Any, Any], Awaitable[None]]

VERSION = "1.0"
LEGACY_VERSION = "0.3"
CARD_PATH = "/.well-known/agent-card.json"
KEYS_PATH = "/.well-known/jwks.json"
CARD_SECONDS = 60  # for which a card may be kept
OURS = frozenset(extension["uri"] for extension in DECLARED)


class Edge:
    """Takes what is A2A's, and leaves the rest to Django."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._rates = Rates()
        self._streams = OpenStreams()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not (path.startswith("/a2a/") or path in (CARD_PATH, KEYS_PATH, "/a2a")):
            await self._django(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            if not request.is_for_us:
                raise NoSuchAddress("This server is not called that. See ALLOWED_HOSTS.")
            await self._route(request, send)
        except Refusal as refusal:
            await _refused(request, refusal).send(send)
        except UnknownAgent as unknown:
            await _refused(request, NoSuchAddress(str(unknown))).send(send)

    async def _route(self, request: Request, send: Send) -> None:
        if request.path == CARD_PATH:
            await _document(request, await served_card(None, request.base)).send(send)
        elif request.path == KEYS_PATH:
            await _document(request, await served_keys(request.base)).send(send)
        elif request.path in ("/a2a", "/a2a/"):
            await _document(request, await served_catalogue(request.base)).send(send)
        else:
            agent_id, _, rest = request.path.removeprefix("/a2a/").partition("/")
            await self._route_to_agent(request, agent_id, f"/{rest}", send)

    async def _route_to_agent(self, request: Request, agent_id: str, rest: str, send: Send) -> None:
        agent = await find_agent(agent_id)
        if agent is None:
            raise UnknownAgent(agent_id)
        if rest == CARD_PATH:
            await _document(request, await served_card(agent_id, request.base)).send(send)
        elif rest == "/":
            await JsonRpcCall(self, request, agent).run(send)
        elif rest.startswith("/v1/") or rest == "/v1":
            await HttpJsonCall(self, request, agent, rest.removeprefix("/v1")).run(send)
        else:
            raise NoSuchAddress("There is nothing at this address. See /docs/ for those that A2A has.")

    async def admit(self, request: Request) -> Caller:
        """Who calls, if they may call now."""
        try:
            caller = await callers.identify(request.headers, request.address)
        except Unauthenticated:
            await self._rates.count(f"address:{request.address}")  # guessing is counted too
            raise
        await self._rates.count(caller.key)
        return caller

    def one_more_stream(self, caller: Caller) -> Any:
        return self._streams.one_more(caller.key)


class OpenedStream:
    """A stream whose first event is there."""

    def __init__(self, frames: Frames, place: AbstractContextManager[None]) -> None:
        self._frames = frames
        self._first: tuple[str, bytes] | None = None
        self._place = ExitStack()
        self._place.enter_context(place)

    async def begin(self) -> None:
        self._first = await anext(self._frames, None)

    async def frames(self, capture: Capture) -> Frames:
        frame = self._first
        capture.add(frame[1] if frame else b"")
        yield frame
        async for frame in self._frames:
            if frame is not None:
                capture.add(b"\n" + frame[1])
            yield frame

    async def close(self) -> None:
        self._place.close()
        await self._frames.aclose()


class Call:
    """One call of an agent: what the two bindings have in common."""

    binding = ""

    def __init__(self, edge: Edge, request: Request, agent: Agent) -> None:
        self.edge = edge
        self.request = request
        self.agent = agent
        self.operations = Operations(agent, request.base)
        self.operation = ""
        self.task_id: Any = None

    async def run(self, send: Send) -> None:
        try:
            answer = await self.answer()
        except (A2AError, Refusal) as error:
            answer = self.failed(error)
        except Exception:  # no exception's text leaves the server
            logger.exception("An A2A call failed.", extra={"action": "a2a.failed"})
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
            await send_events(stream.frames(capture), self.request.receive, send, self._extensions())
        finally:
            await stream.close()
            self._log(200, {"content-type": "text/event-stream"}, capture)

    async def open_stream(self, frames: Frames, caller: Caller) -> OpenedStream:
        """With its first event: what goes wrong before that is an answer like any other."""
        stream = OpenedStream(frames, self.edge.one_more_stream(caller))
        try:
            await stream.begin()
        except BaseException:
            await stream.close()
            raise
        return stream

    async def answer(self) -> Response | OpenedStream:
        raise NotImplementedError

    def failed(self, error: A2AError | Refusal) -> Response:
        raise NotImplementedError

    def check_version(self) -> None:
        """Major and minor must be ours; a patch number does not count. No version means 0.3."""
        version = self.request.parameter("A2A-Version") or LEGACY_VERSION
        if version.split(".")[:2] != VERSION.split("."):
            raise VersionNotSupportedError(f"This is A2A {VERSION}: send A2A-Version: {VERSION}.")

    def check_extensions(self) -> None:
        required = getattr(registry.agents().get(self.agent.id), "required_extensions", ())
        missing = [uri for uri in required if uri not in self._asked()]
        if missing:
            raise ExtensionSupportRequiredError(f"Send A2A-Extensions: {', '.join(missing)}.")

    def _asked(self) -> set[str]:
        return {uri.strip() for uri in self.request.parameter("A2A-Extensions").split(",")} - {""}

    def _extensions(self) -> dict[str, str]:
        active = sorted(self._asked() & OURS)
        return {"a2a-extensions": ", ".join(active)} if active else {}

    def _log(self, status: int, headers: dict[str, str], body: bytes | Capture) -> None:
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
            milliseconds=(time.monotonic() - request.begun) * 1000,
            task_id=self.task_id,
            agent_id=self.agent.id,
        )

    def note_task(self, result: Any) -> None:
        """Whose wire log this belongs to."""
        if isinstance(result, dict):
            task = result.get("task", result)
            id = result.get("message", {}).get("taskId") or task.get("id") or task.get("taskId")
            self.task_id = as_uuid(id) if isinstance(id, str) and "totalSize" not in result else None

    async def noting(self, stream: Stream) -> Stream:
        async with aclosing(stream):
            async for event in stream:
                if event is not None and self.task_id is None:
                    self.note_task(event.json)
                yield event


class JsonRpcCall(Call):
    binding = "JSONRPC"
    id: Any = None

    async def answer(self) -> Response | OpenedStream:
        request = self.request
        if request.method != "POST":
            raise WrongMethod("JSON-RPC is called with POST.", headers={"allow": "POST"})
        request.require_type("application/json")
        caller = await self.edge.admit(request)
        envelope = jsonrpc.Envelope(await request.read())
        self.id = envelope.id
        if envelope.error is not None:
            raise envelope.error
        self.operation = envelope.method[:64]
        self.check_version()
        envelope.check_method()
        self.check_extensions()
        tenant = envelope.params.get("tenant") or ""
        caller = caller.in_tenant(tenant if isinstance(tenant, str) else "")
        if envelope.method in jsonrpc.STREAMS:
            stream = self._events(envelope.method, envelope.params, caller)
            return await self.open_stream(jsonrpc.frames(self.id, self.noting(stream)), caller)
        found = await jsonrpc.UNARY[envelope.method](self.operations, envelope.params, caller)
        self.note_task(found)
        return Response(200, jsonrpc.result(self.id, found))

    def _events(self, method: str, params: Any, caller: Caller) -> Stream:
        if method == "SubscribeToTask":
            return self.operations.subscribe_to_task(params, caller, self.request.headers.get("last-event-id", ""))
        return self.operations.send_streaming_message(params, caller)

    def failed(self, error: A2AError | Refusal) -> Response:
        status, headers = (error.status, error.headers) if isinstance(error, Refusal) else (200, {})
        return Response(status, jsonrpc.failure(self.id, error), headers=dict(headers))


class HttpJsonCall(Call):
    binding = "HTTP+JSON"

    def __init__(self, edge: Edge, request: Request, agent: Agent, path: str) -> None:
        super().__init__(edge, request, agent)
        self.path = path

    async def answer(self) -> Response | OpenedStream:
        request = self.request
        match = http_json.find_route(request.method, self.path)
        self.operation = match.route.operation
        request.require_type(*http_json.JSON_TYPES)
        caller = await self.edge.admit(request)
        self.check_version()
        params = http_json.read_params(match, request.query, await request.read())
        self.check_extensions()
        caller = caller.in_tenant(params["tenant"])
        if match.route.unary is None:
            stream = self._events(match.route.operation, params, caller)
            return await self.open_stream(_bare(self.noting(stream)), caller)
        found = await match.route.unary(self.operations, params, caller)
        self.note_task(found)
        return Response(200, jsonrpc.dumps(found or {}), http_json.answer_type(request.headers))

    def _events(self, operation: str, params: Any, caller: Caller) -> Stream:
        if operation == "SubscribeToTask":
            return self.operations.subscribe_to_task(params, caller, self.request.headers.get("last-event-id", ""))
        return self.operations.send_streaming_message(params, caller)

    def failed(self, error: A2AError | Refusal) -> Response:
        headers = dict(error.headers) if isinstance(error, Refusal) else {}
        kind = http_json.answer_type(self.request.headers)
        return Response(http_status(error), jsonrpc.dumps(rest_error(error)), kind, headers)


async def _bare(stream: Stream) -> Frames:
    async with aclosing(stream):
        async for event in stream:
            yield event and (event.id, jsonrpc.dumps(event.json))


def _document(request: Request, served: Served) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise WrongMethod("This is read with GET.", headers={"allow": "GET, HEAD"})
    headers = {
        "etag": served.etag,
        "last-modified": served.last_modified,
        "cache-control": f"public, max-age={CARD_SECONDS}",
        "access-control-allow-origin": "*",  # it is public, and pages of other servers may show it
    }
    known = served.is_known_to(request.headers.get("if-none-match", ""), request.headers.get("if-modified-since", ""))
    if known:
        return Response(304, headers=headers)
    return Response(200, b"" if request.method == "HEAD" else served.body, headers=headers)


def _refused(request: Request, refusal: Refusal) -> Response:
    return Response(refusal.status, jsonrpc.dumps(rest_error(refusal)), headers=dict(refusal.headers))
