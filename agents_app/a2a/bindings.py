"""The two bindings over HTTP, JSON-RPC and HTTP+JSON: from a request to an operation, and back."""

from __future__ import annotations

from typing import Any

from a2a.utils.errors import A2AError

from agents_app.a2a import http_json, jsonrpc
from agents_app.a2a.admission import Admission
from agents_app.a2a.call import Call, OpenedStream
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import Refusal, WrongMethod, http_status, rest_error
from agents_app.a2a.http import Request, Response
from agents_app.a2a.legacy.calls import answer_method, is_legacy_method
from agents_app.a2a.operations import Stream
from agents_app.a2a.schema import read_tenant
from agents_app.models import Agent


class JsonRpcCall(Call):
    binding = "JSONRPC"
    id: Any = None

    async def answer(self) -> Response | OpenedStream:
        request = self.request
        if request.method != "POST":
            raise WrongMethod("JSON-RPC is called with POST.", headers={"allow": "POST"})
        request.require_type("application/json")
        caller = await self.admit()
        envelope = jsonrpc.Envelope(await request.read())
        self.id = envelope.id
        if envelope.error is not None:
            raise envelope.error
        self.operation = envelope.method[:64]
        if is_legacy_method(envelope.method, self.version):
            return await answer_method(self, envelope, caller)
        self.check_version()
        envelope.check_method()
        self.check_extensions()
        caller = caller.in_tenant(read_tenant(envelope.params))
        if envelope.method in jsonrpc.STREAMS:
            events = self._events(envelope.method, envelope.params, caller)
            return await self.open_stream(events, lambda event: jsonrpc.result(self.id, event.json), caller)
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

    def __init__(self, admission: Admission, request: Request, agent: Agent, path: str) -> None:
        super().__init__(admission, request, agent)
        self.path = path

    async def answer(self) -> Response | OpenedStream:
        request = self.request
        match = http_json.find_route(request.method, self.path)
        self.operation = match.route.operation
        request.require_type(*http_json.JSON_TYPES)
        caller = await self.admit()
        self.check_version()
        params = http_json.read_params(match, request.parameters, await request.read())
        self.check_extensions()
        caller = caller.in_tenant(read_tenant(params))
        if match.route.unary is None:
            events = self._events(match.route.operation, params, caller)
            return await self.open_stream(events, lambda event: jsonrpc.dumps(event.json), caller)
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
