"""The SDK's `RequestHandler` over our operations: protobuf comes in and goes out, JSON is spoken between.

Who calls it puts an `Answering` into the context. Errors of A2A are the SDK's exact classes already; a `Refusal` passes
through it and is told by the binding.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

from a2a.server.context import ServerCallContext
from a2a.server.events.event_queue import Event
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import a2a_pb2 as pb
from google.protobuf.message import Message

from agents_app.a2a.caller import Caller
from agents_app.a2a.legacy.cards import with_legacy_interfaces
from agents_app.a2a.operations import Operations, Stream
from agents_app.a2a.protojson import Json, to_json, to_message

M = TypeVar("M", bound=Message)

ANSWERING = "answering"  # where the context has it


class Answering(Protocol):
    """An agent's operations for one caller, who is in the tenant of the call."""

    operations: Operations
    caller: Caller

    def note(self, result: Json) -> None: ...

    def check(self) -> None:
        """Whether a stream may go on. Raises `Refusal`."""


class SdkHandler(RequestHandler):
    # -- messages

    async def on_message_send(self, params: pb.SendMessageRequest, context: ServerCallContext) -> pb.Task | pb.Message:
        found = await self._answer(context, Operations.send_message, params, pb.SendMessageResponse())
        return found.task if found.HasField("task") else found.message

    async def on_message_send_stream(
        self, params: pb.SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        call = _answering(context)
        async for event in _events(call, call.operations.send_streaming_message(to_json(params), call.caller)):
            yield event

    async def on_subscribe_to_task(
        self, params: pb.SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        call = _answering(context)
        async for event in _events(call, call.operations.subscribe_to_task(to_json(params), call.caller)):
            yield event

    # -- tasks

    async def on_get_task(self, params: pb.GetTaskRequest, context: ServerCallContext) -> pb.Task:
        return await self._answer(context, Operations.get_task, params, pb.Task())

    async def on_list_tasks(self, params: pb.ListTasksRequest, context: ServerCallContext) -> pb.ListTasksResponse:
        return await self._answer(context, Operations.list_tasks, params, pb.ListTasksResponse())

    async def on_cancel_task(self, params: pb.CancelTaskRequest, context: ServerCallContext) -> pb.Task:
        return await self._answer(context, Operations.cancel_task, params, pb.Task())

    # -- push notifications

    async def on_create_task_push_notification_config(
        self, params: pb.TaskPushNotificationConfig, context: ServerCallContext
    ) -> pb.TaskPushNotificationConfig:
        operation = Operations.create_task_push_notification_config
        return _addressed(await self._answer(context, operation, params, pb.TaskPushNotificationConfig()), params)

    async def on_get_task_push_notification_config(
        self, params: pb.GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> pb.TaskPushNotificationConfig:
        operation = Operations.get_task_push_notification_config
        return _addressed(await self._answer(context, operation, params, pb.TaskPushNotificationConfig()), params)

    async def on_list_task_push_notification_configs(
        self, params: pb.ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> pb.ListTaskPushNotificationConfigsResponse:
        operation = Operations.list_task_push_notification_configs
        found = await self._answer(context, operation, params, pb.ListTaskPushNotificationConfigsResponse())
        for config in found.configs:
            _addressed(config, params)
        return found

    async def on_delete_task_push_notification_config(
        self, params: pb.DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        call = _answering(context)
        await call.operations.delete_task_push_notification_config(to_json(params), call.caller)

    # -- the card

    async def on_get_extended_agent_card(
        self, params: pb.GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> pb.AgentCard:
        return await self._answer(context, Operations.get_extended_agent_card, params, pb.AgentCard())

    async def _answer(self, context: ServerCallContext, operation: Any, params: Message, answer: M) -> M:
        call = _answering(context)
        found = await operation(call.operations, to_json(params), call.caller)
        call.note(found)
        return to_message(found, answer)


class LegacyHandler(SdkHandler):
    """For the SDK's adapters of version 0.3: they make a card of 0.3 from one that names addresses of 0.3."""

    async def on_get_extended_agent_card(
        self, params: pb.GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> pb.AgentCard:
        card = await super().on_get_extended_agent_card(params, context)
        operations = _answering(context).operations
        named = with_legacy_interfaces(to_json(card), operations.agent.id, operations.base, is_default=False)
        return to_message(named, pb.AgentCard())


async def _events(call: Answering, stream: Stream) -> AsyncGenerator[Event]:
    async with aclosing(stream):
        async for events in stream:
            call.check()
            for event in events:
                call.note(event.json)
                response = to_message(event.json, pb.StreamResponse())
                yield getattr(response, response.WhichOneof("payload"))


def _addressed(config: pb.TaskPushNotificationConfig, params: Any) -> pb.TaskPushNotificationConfig:
    """With the tenant as the caller wrote it, which in gRPC names the agent, too."""
    config.tenant = params.tenant
    return config


def _answering(context: ServerCallContext) -> Answering:
    answering: Answering = context.state[ANSWERING]
    return answering
