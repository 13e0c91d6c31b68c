"""The gRPC binding: versions 1.0 and 0.3 on one port, by the SDK's servicers over the same operations.

What they leave out is done around them: who calls, which version, which agent, limits, errors with their details.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.compat.v0_3.request_handler import RequestHandler03
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.grpc_handler import GrpcHandler, GrpcServerCallContextBuilder
from a2a.types import a2a_pb2_grpc
from a2a.utils.errors import A2AError, InternalError, InvalidParamsError
from django.conf import settings
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError

from agents_app.a2a.admission import Admission
from agents_app.a2a.errors import Refusal
from agents_app.a2a.grpc_call import GrpcCall, status_of
from agents_app.a2a.legacy.methods import finish
from agents_app.a2a.sdk_handler import ANSWERING, LegacyHandler, SdkHandler

logger = logging.getLogger(__name__)

STOP_SECONDS = 3.0  # for streams that are open when the tasks have ended
GARBAGE = Empty()  # in the place of a request that could not be read
ALIVE_MS = 60_000  # how often a silent connection is tried


class CannotListen(Exception):
    """The address is taken, or is none of this machine's."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM format. With `client_ca` callers need a certificate that it has signed."""

    cert: str
    key: str
    client_ca: str = ""

    def credentials(self) -> Any:
        """Raises `OSError`."""
        ca = Path(self.client_ca).read_bytes() if self.client_ca else None
        pair = (Path(self.key).read_bytes(), Path(self.cert).read_bytes())
        return grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None)


def make_server(host: str, port: int, tls: Tls | None = None) -> tuple[Any, int]:
    """A `grpc.aio.Server` that is not started, and the port it has. Raises `CannotListen` and `OSError`."""
    server = grpc.aio.server(
        interceptors=[Around(Admission())],
        options=[
            ("grpc.max_receive_message_length", settings.A2A_MAX_BODY_BYTES),
            ("grpc.max_send_message_length", -1),
            ("grpc.keepalive_time_ms", ALIVE_MS),
            ("grpc.so_reuseport", 0),  # a second server on this port fails instead of taking every other call
        ],
    )
    for module, servicer in (
        (a2a_pb2_grpc, Servicer(SdkHandler(), ContextBuilder())),
        (a2a_v0_3_pb2_grpc, LegacyServicer()),
    ):
        register: Any = module.add_A2AServiceServicer_to_server
        register(servicer, server)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = server.add_secure_port(address, tls.credentials()) if tls else server.add_insecure_port(address)
    except RuntimeError:
        tls_too = " For TLS, give it a certificate and the key that fits, in PEM format." if tls else ""
        raise CannotListen(
            f"Cannot listen on {address}: stop what is there, or choose another port.{tls_too}"
        ) from None
    return server, bound


class Servicer(GrpcHandler):
    async def abort_context(self, error: A2AError, context: Any) -> NoReturn:
        raise error  # `Around` tells it


class LegacyRequests(RequestHandler03):
    async def on_message_send_stream(self, request: Any, context: ServerCallContext) -> AsyncIterator[Any]:
        async for response in super().on_message_send_stream(request, context):
            finish(response.result)
            yield response


class LegacyServicer(CompatGrpcHandler):
    def __init__(self) -> None:
        super().__init__(LegacyHandler(), ContextBuilder())
        self.handler03 = LegacyRequests(LegacyHandler())

    async def abort_context(self, error: A2AError, context: Any) -> NoReturn:
        raise error


class ContextBuilder(GrpcServerCallContextBuilder):
    def build(self, context: Any) -> ServerCallContext:
        """`context` is the `GrpcCall` that `Around` passes on."""
        return ServerCallContext(state={ANSWERING: context})


class Around(grpc.aio.ServerInterceptor):
    """Every call goes through here, of both versions."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        inner = await continuation(details)
        if inner is None:
            return None
        codec = {
            "request_deserializer": _bearing_garbage(inner.request_deserializer),
            "response_serializer": inner.response_serializer,
        }
        if inner.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._streaming(inner.unary_stream, details.method), **codec)
        return grpc.unary_unary_rpc_method_handler(self._plain(inner.unary_unary, details.method), **codec)

    def _plain(self, inner: Any, path: str) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            call = GrpcCall(self._admission, path, context)
            with call.traced():
                return await answer_call(call, request, context)

        async def answer_call(call: GrpcCall, request: Any, context: Any) -> Any:
            try:
                await call.enter(request)
                _refuse_garbage(request)
                response = await inner(request, call)
            except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told no more than it may know)
                await _abort(call, request, context, error)
            await context.send_initial_metadata(call.leading_metadata())
            call.sent(response)
            call.log(request, 200)
            return response

        return answer

    def _streaming(self, inner: Any, path: str) -> Any:
        async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
            call = GrpcCall(self._admission, path, context)
            with call.traced():
                async with aclosing(answer_call(call, request, context)) as responses:
                    async for response in responses:
                        yield response

        async def answer_call(call: GrpcCall, request: Any, context: Any) -> AsyncGenerator[Any]:
            try:
                await call.enter(request)
                _refuse_garbage(request)
                with self._admission.one_more_stream(call.caller) as call.place:
                    async with aclosing(inner(request, call)) as responses:
                        async for response in responses:
                            if not call.has_sent:
                                await context.send_initial_metadata(call.leading_metadata())
                            call.sent(response)
                            yield response
            except Exception as error:  # noqa: BLE001  (as above)
                await _abort(call, request, context, error)
            finally:
                call.log(request, 200)

        return answer


def _bearing_garbage(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """gRPC's runtime would answer with the exception's name, and log a fault of ours."""

    def reading(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError:
            return GARBAGE

    return reading


def _refuse_garbage(request: Any) -> None:
    if request is GARBAGE:
        raise InvalidParamsError("The request is not the protobuf message that this method takes.")


async def _abort(call: GrpcCall, request: Any, context: Any, error: Exception) -> None:
    code, message, trailing, number = status_of(_told(error, call), is_legacy=call.is_legacy)
    call.log(request, number, message.encode("utf-8", "replace"))
    await context.abort(code, message, trailing)  # raises


def _told(error: Exception, call: GrpcCall) -> A2AError | Refusal:
    if isinstance(error, A2AError | Refusal):
        return error
    if call.is_legacy and isinstance(error, ParseError | ValueError | KeyError):  # from the SDK's conversions of 0.3
        return InvalidParamsError("The request does not have the form of A2A 0.3.")
    logger.error("A gRPC call failed.", exc_info=error, extra={"action": "a2a.failed"})
    return InternalError("The server made a mistake nobody foresaw.")
