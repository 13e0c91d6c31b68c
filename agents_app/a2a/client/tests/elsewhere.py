"""A2A agents on other servers: the SDK's own server, on 127.0.0.1, with a script for an agent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import uvicorn
from a2a.compat.v0_3 import a2a_v0_3_pb2_grpc
from a2a.compat.v0_3.grpc_handler import CompatGrpcHandler
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.request_handlers.grpc_handler import GrpcHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2_grpc
from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    Part,
    Task,
    TaskState,
    TaskStatus,
)
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

T = TypeVar("T")

PATIENCE_SECONDS = 10


@dataclass
class Seen:
    """One request as it arrived."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Cut(Exception):
    """The connection breaks."""


@dataclass
class Elsewhere:
    """`play(context, updater)` is the agent. Everything else may be changed while it serves."""

    play: Callable[[RequestContext, TaskUpdater], Awaitable[None]]
    binding: str = "JSONRPC"
    version: str = "1.0"
    streaming: bool = True
    extra: dict[str, Any] = field(default_factory=dict)  # of the card
    port: int = 0
    grpc_port: int = 0
    cut_after: int | None = None  # pieces of the next stream
    repeats: bool = False  # the next chunk of a subscription comes twice
    status: int | None = None  # answered to every call instead
    cards: int = 0  # how often the card was read
    seen: list[Seen] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)  # ids of messages

    def __post_init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.app: Any = None
        self._server: uvicorn.Server | None = None
        self._serving: Any = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def card(self) -> AgentCard:
        address = f"127.0.0.1:{self.grpc_port}" if self.binding == "GRPC" else self.url
        card = AgentCard(
            name="Weather Bot",
            description="Knows the weather everywhere.",
            version="1",
            capabilities=AgentCapabilities(streaming=self.streaming),
            default_input_modes=["text/plain"],
            default_output_modes=["text/plain"],
            supported_interfaces=[
                AgentInterface(
                    url=f"{address}/rpc" if self.binding == "JSONRPC" else address,
                    protocol_binding=self.binding,
                    protocol_version=self.version,
                )
            ],
            skills=[
                AgentSkill(
                    id="forecast", name="Forecast", description="Tells tomorrow.", tags=["rain"], examples=["Rain?"]
                )
            ],
        )
        return ParseDict(self.extra, card)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_SECONDS)

    def start(self) -> None:
        self.run(self._start())

    def stop(self) -> None:
        """As if somebody pulled the plug; what the agents there know stays."""
        self.run(self._stop())

    def end(self) -> None:
        """Nothing of it is left, not even what its agent still does."""
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE_SECONDS)
        self.loop.close()

    async def _end(self) -> None:
        if self.grpc_port:
            await self.grpc.stop(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=1) if left else None

    def sent(self, method: str) -> list[Seen]:
        return [seen for seen in self.seen if method.encode() in seen.body or method in seen.path]

    async def _start(self) -> None:
        if self.binding == "GRPC" and not self.grpc_port:
            await self._start_grpc()
        config = uvicorn.Config(self, host="127.0.0.1", port=self.port, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = self.loop.create_task(self._server._serve())
        while not self._server.started:
            await asyncio.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.app = self.app or self._build()

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()
            await self._serving
            self._server = None

    def _build(self) -> Starlette:
        if self.binding != "GRPC":
            self.handler = DefaultRequestHandler(_Executor(self), InMemoryTaskStore(), self.card)
        routes = [
            *create_jsonrpc_routes(self.handler, "/rpc", enable_v0_3_compat=True),
            *create_rest_routes(self.handler, enable_v0_3_compat=True),
        ]
        return Starlette(routes=[*self._card_routes(), *routes])

    def _card_routes(self) -> list[Any]:
        async def current(_: AgentCard) -> AgentCard:
            self.cards += 1
            return self.card

        return create_agent_card_routes(self.card, card_modifier=current)

    async def _start_grpc(self) -> None:
        self.handler = DefaultRequestHandler(_Executor(self), InMemoryTaskStore(), self.card)
        server = grpc.aio.server()
        a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(self.handler), server)
        legacy: Any = a2a_v0_3_pb2_grpc.add_A2AServiceServicer_to_server
        legacy(CompatGrpcHandler(self.handler), server)
        self.grpc_port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self.grpc = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, messages = b"", []
        while scope["type"] == "http":
            messages.append(message := await receive())
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        is_card = scope["path"].endswith(".json")
        if not is_card:
            self.seen.append(Seen(scope["path"], scope["query_string"].decode(), headers, body))
        if self.status and not is_card:
            await send({"type": "http.response.start", "status": self.status, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return

        async def again() -> Any:
            return messages.pop(0) if messages else await receive()

        subscribes = b"SubscribeToTask" in body
        await self.app(scope, again, self._repeating(send) if subscribes else self._cutting(send))

    def _cutting(self, send: Send) -> Send:
        pieces = 0

        async def cutting(message: Any) -> None:
            nonlocal pieces
            pieces += message["type"] == "http.response.body" and bool(message.get("body"))
            if self.cut_after is not None and pieces > self.cut_after:
                self.cut_after = None
                raise Cut
            await send(message)

        return cutting

    def _repeating(self, send: Send) -> Send:
        async def repeating(message: Any) -> None:
            await send(message)
            if self.repeats and b"artifactUpdate" in message.get("body", b""):
                self.repeats = False
                await send(message)

        return repeating


class _Executor(AgentExecutor):
    def __init__(self, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message and context.task_id and context.context_id
        self._elsewhere.executed.append(context.message.message_id)
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        if getattr(self._elsewhere.play, "plain", False):
            await event_queue.enqueue_event(updater.new_agent_message([Part(text="Just words.")]))
            return
        if not context.current_task:
            task = Task(
                id=context.task_id,
                context_id=context.context_id,
                status=TaskStatus(state=TaskState.TASK_STATE_SUBMITTED),
                history=[context.message],
            )
            await event_queue.enqueue_event(task)
        await self._elsewhere.play(context, updater)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.task_id and context.context_id
        self._elsewhere.cancelled.append(context.task_id)
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


@contextmanager
def elsewhere(play: Any, **values: Any) -> Iterator[Elsewhere]:
    server = Elsewhere(play, **values)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.end()


def text(words: str) -> list[Part]:
    return [Part(text=words)]


async def answer(context: RequestContext, updater: TaskUpdater) -> None:
    """Works for a moment, and answers in three chunks of one artifact."""
    await updater.start_work(updater.new_agent_message(text("Looking out of the window")))
    for number, words in enumerate(("It will ", "rain ", "tomorrow.")):
        await updater.add_artifact(text(words), artifact_id="answer", append=number > 0, last_chunk=number == 2)
    await updater.complete()
