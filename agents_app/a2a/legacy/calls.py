"""Calls of 0.3 over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from a2a.utils.errors import A2AError, MethodNotFoundError

from agents_app.a2a import http_json, jsonrpc
from agents_app.a2a.admission import Admission
from agents_app.a2a.call import Call, OpenedStream
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import Refusal, http_status
from agents_app.a2a.http import Request, Response
from agents_app.a2a.legacy import rest
from agents_app.a2a.legacy.methods import METHODS, Method, finish, read_params, stream_event
from agents_app.a2a.negotiation import is_legacy, require_current
from agents_app.a2a.operations import Stream
from agents_app.a2a.protojson import Json
from agents_app.a2a.streams import StreamEvent
from agents_app.models import Agent

WATCH = "SubscribeToTask"


def is_legacy_method(name: str, version: str) -> bool:
    return name in METHODS and is_legacy(version)


async def answer_method(call: Call, envelope: jsonrpc.Envelope, caller: Caller) -> Response | OpenedStream:
    """JSON-RPC of 0.3, at the address of 1.0."""
    method = METHODS[envelope.method]
    call.operation = method.operation
    call.check_extensions()
    params = read_params(method, envelope.request)
    caller = caller.in_tenant("").of_legacy()
    if method.unary is None:
        tell = _teller(method)
        events = _events(call, method, params, caller)
        return await call.open_stream(events, lambda event: jsonrpc.result(envelope.id, _dumped(tell(event))), caller)
    found = await method.unary(call.operations, params, caller)
    call.note_task(found)
    return Response(200, jsonrpc.result(envelope.id, _dumped(method.answer(found))))


class LegacyHttpJsonCall(Call):
    """HTTP+JSON of 0.3: the same paths as in 1.0, told apart by the version."""

    binding = "HTTP+JSON"

    def __init__(self, admission: Admission, request: Request, agent: Agent, path: str) -> None:
        super().__init__(admission, request, agent)
        self.path = path

    async def answer(self) -> Response | OpenedStream:
        request = self.request
        found = rest.find_route(request.method, self.path)
        if found is None:
            http_json.find_route(request.method, self.path)  # says what is wrong with the address
        request.require_type(*http_json.JSON_TYPES)
        caller = await self.admit()
        if found is None:
            require_current(self.version)  # there it is in 1.0 only
            raise MethodNotFoundError
        route, path = found
        method = METHODS[route.method]
        self.operation = method.operation
        body = await request.read()
        params = read_params(method, rest.read_request(route, method.model, {**request.parameters, **path}, body))
        self.check_extensions()
        return await self._answer(route, method, params, caller.in_tenant("").of_legacy())

    async def _answer(self, route: rest.Route, method: Method, params: Json, caller: Caller) -> Response | OpenedStream:
        if method.unary is None:
            tell = _teller(method)
            events = _events(self, method, params, caller)
            return await self.open_stream(events, lambda event: jsonrpc.dumps(rest.event_json(tell(event))), caller)
        found = await method.unary(self.operations, params, caller)
        self.note_task(found)
        return Response(200, jsonrpc.dumps(rest.answer_json(route, method.answer(found))))

    def failed(self, error: A2AError | Refusal) -> Response:
        headers = dict(error.headers) if isinstance(error, Refusal) else {}
        return Response(http_status(error), jsonrpc.dumps(rest.failure_json(error, self.version)), headers=headers)


def _events(call: Call, method: Method, params: Json, caller: Caller) -> Stream:
    if method.operation == WATCH:
        return call.operations.subscribe_to_task(params, caller, call.request.headers.get("last-event-id", ""))
    return call.operations.send_streaming_message(params, caller)


def _teller(method: Method) -> Callable[[StreamEvent], Any]:
    """Of an event the model of 0.3."""

    def tell(event: StreamEvent) -> Any:
        told = stream_event(event.json)
        if method.operation != WATCH:
            finish(told)
        return told

    return tell


def _dumped(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_dumped(item) for item in answer]
    return answer and answer.model_dump(mode="json", by_alias=True, exclude_none=True)
