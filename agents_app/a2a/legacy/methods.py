"""The methods of 0.3: which operation each one is, and how its request and its answer are converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from a2a.compat.v0_3 import conversions as convert
from a2a.compat.v0_3 import types as v03
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import InvalidParamsError, TaskNotFoundError
from google.protobuf.json_format import ParseError
from google.protobuf.message import Message
from pydantic import ValidationError

from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import invalid
from agents_app.a2a.http_json import Unary
from agents_app.a2a.legacy.cards import legacy_card
from agents_app.a2a.operations import Operations
from agents_app.a2a.protojson import Json, to_json, to_message

PAUSES = (v03.TaskState.input_required, v03.TaskState.auth_required)


class Method(NamedTuple):
    operation: str
    model: Any  # its request, with the JSON-RPC envelope
    request: Callable[[Any], Message]
    answer: Callable[[Json], Any] = lambda _: None
    unary: Unary | None = None  # None: a stream


def _sent(found: Json) -> v03.Task | v03.Message:
    return (
        _task(found["task"])
        if "task" in found
        else convert.to_compat_message(to_message(found["message"], pb.Message()))
    )


def _task(found: Json) -> v03.Task:
    return convert.to_compat_task(to_message(found, pb.Task()))


def _config(found: Json) -> v03.TaskPushNotificationConfig:
    return convert.to_compat_task_push_notification_config(to_message(found, pb.TaskPushNotificationConfig()))


def _configs(found: Json) -> list[v03.TaskPushNotificationConfig]:
    return [_config(config) for config in found["configs"]]


async def _get_config(operations: Operations, params: Any, caller: Caller) -> Json:
    """0.3 may ask for the configuration of a task without saying which."""
    if params.get("id"):
        return await operations.get_task_push_notification_config(params, caller)
    configs = (await operations.list_task_push_notification_configs(params, caller))["configs"]
    if not configs:
        raise TaskNotFoundError("This task has no push notification configuration.")
    first: Json = configs[0]
    return first


async def _get_card(operations: Operations, params: Any, caller: Caller) -> Json:
    card = await operations.get_extended_agent_card(params, caller)
    return legacy_card(card, operations.agent.id, operations.base, is_default=False)


METHODS = {
    "message/send": Method(
        "SendMessage",
        v03.SendMessageRequest,
        convert.to_core_send_message_request,
        _sent,
        Operations.send_message,
    ),
    "message/stream": Method(
        "SendStreamingMessage", v03.SendStreamingMessageRequest, convert.to_core_send_message_request
    ),
    "tasks/get": Method("GetTask", v03.GetTaskRequest, convert.to_core_get_task_request, _task, Operations.get_task),
    "tasks/cancel": Method(
        "CancelTask", v03.CancelTaskRequest, convert.to_core_cancel_task_request, _task, Operations.cancel_task
    ),
    "tasks/resubscribe": Method(
        "SubscribeToTask", v03.TaskResubscriptionRequest, convert.to_core_subscribe_to_task_request
    ),
    "tasks/pushNotificationConfig/set": Method(
        "CreateTaskPushNotificationConfig",
        v03.SetTaskPushNotificationConfigRequest,
        convert.to_core_create_task_push_notification_config_request,
        _config,
        Operations.create_task_push_notification_config,
    ),
    "tasks/pushNotificationConfig/get": Method(
        "GetTaskPushNotificationConfig",
        v03.GetTaskPushNotificationConfigRequest,
        convert.to_core_get_task_push_notification_config_request,
        _config,
        _get_config,
    ),
    "tasks/pushNotificationConfig/list": Method(
        "ListTaskPushNotificationConfigs",
        v03.ListTaskPushNotificationConfigRequest,
        convert.to_core_list_task_push_notification_config_request,
        _configs,
        Operations.list_task_push_notification_configs,
    ),
    "tasks/pushNotificationConfig/delete": Method(
        "DeleteTaskPushNotificationConfig",
        v03.DeleteTaskPushNotificationConfigRequest,
        convert.to_core_delete_task_push_notification_config_request,
        unary=Operations.delete_task_push_notification_config,
    ),
    "agent/getAuthenticatedExtendedCard": Method(
        "GetExtendedAgentCard",
        v03.GetAuthenticatedExtendedCardRequest,
        convert.to_core_get_extended_agent_card_request,
        v03.AgentCard.model_validate,
        _get_card,
    ),
}


def read_params(method: Method, body: Any) -> Json:
    """The params of 1.0 that a request of 0.3 means; `body` is JSON or the model. Raises `InvalidParamsError`."""
    try:
        request = body if isinstance(body, method.model) else method.model.model_validate(body)
        return to_json(method.request(request))
    except ValidationError as error:
        raise _first_violation(error) from None
    except (ValueError, KeyError, TypeError, ParseError, RecursionError):  # of parts that are none
        raise InvalidParamsError("The params do not have the form of A2A 0.3.") from None


def stream_event(json: Json) -> Any:
    """A StreamResponse as 0.3 has it."""
    return convert.to_compat_stream_response(to_message(json, pb.StreamResponse()), "").result


def finish(event: Any) -> None:
    """Let the last event of `message/stream` say so, also where the task only waits for its caller."""
    if isinstance(event, v03.TaskStatusUpdateEvent) and event.status.state in PAUSES:
        event.final = True


def _first_violation(error: ValidationError) -> InvalidParamsError:
    """Of a union every branch complains; the one that came closest is the deepest."""
    found = max(
        error.errors(include_url=False, include_input=False, include_context=False), key=lambda e: len(e["loc"])
    )
    path = ".".join(str(step) for step in found["loc"] if step != "params")
    return invalid(path or "params", found["msg"])
