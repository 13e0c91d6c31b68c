"""The paths of 0.3's HTTP+JSON, below /v1: its bodies are the JSON of 0.3's protobuf, not of its JSON-RPC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from a2a.compat.v0_3 import a2a_v0_3_pb2 as pb
from a2a.compat.v0_3 import proto_utils
from a2a.compat.v0_3 import types as v03
from a2a.utils.errors import A2AError, InvalidParamsError, JSONParseError
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict, ParseError
from google.protobuf.message import Message
from pydantic import ValidationError

from agents_app.a2a.errors import Refusal, details, invalid, jsonrpc_error
from agents_app.a2a.protojson import Json, loads, to_message

FORGOTTEN = "Without A2A-Version this is read as A2A 0.3: for 1.0 send A2A-Version: 1.0."
From, To = proto_utils.FromProto, proto_utils.ToProto


class Route(NamedTuple):
    method: str  # of 0.3's JSON-RPC
    request: Callable[[Mapping[str, str], Json], Any]  # path and query, and body: the params of that method
    answer: Callable[[Any], Message]


def _send(_: Mapping[str, str], body: Json) -> v03.MessageSendParams:
    return From.message_send_params(to_message(body, pb.SendMessageRequest(), ignore_unknown=True))


def _set_config(path: Mapping[str, str], body: Json) -> v03.TaskPushNotificationConfig:
    """Clients differ: some send the request of the .proto, some the configuration alone."""
    request = pb.CreateTaskPushNotificationConfigRequest()
    to_message(body if "config" in body else {"config": body}, request, ignore_unknown=True)
    config = From.push_notification_config(request.config.push_notification_config)
    config.id = config.id or request.config_id or None
    return v03.TaskPushNotificationConfig(task_id=path["id"], push_notification_config=config)


def _no_params(_: Mapping[str, str], __: Json) -> None:
    return None


def _query(path: Mapping[str, str], _: Json) -> v03.TaskQueryParams:
    length = path.get("historyLength") or "0"
    if not length.isdecimal() or len(length) > 9:
        raise invalid("historyLength", "must be a whole number, 0 or more")
    return v03.TaskQueryParams(id=path["id"], history_length=int(length))


def _task_id(path: Mapping[str, str], _: Json) -> v03.TaskIdParams:
    return v03.TaskIdParams(id=path["id"])


def _get_config(path: Mapping[str, str], _: Json) -> v03.GetTaskPushNotificationConfigParams:
    return v03.GetTaskPushNotificationConfigParams(id=path["id"], push_notification_config_id=path["config"])


def _list_configs(path: Mapping[str, str], _: Json) -> v03.ListTaskPushNotificationConfigParams:
    return v03.ListTaskPushNotificationConfigParams(id=path["id"])


def _delete_config(path: Mapping[str, str], _: Json) -> v03.DeleteTaskPushNotificationConfigParams:
    return v03.DeleteTaskPushNotificationConfigParams(id=path["id"], push_notification_config_id=path["config"])


def _configs(configs: list[v03.TaskPushNotificationConfig]) -> Message:
    return pb.ListTaskPushNotificationConfigResponse(configs=map(To.task_push_notification_config, configs))


def _nothing(_: Any) -> Message:
    return empty_pb2.Empty()


TASK = r"/tasks/(?P<id>[^/]+)"
CONFIGS = f"{TASK}/pushNotificationConfigs"
CONFIG = f"{CONFIGS}/(?P<config>[^/]+)"
PUSH = "tasks/pushNotificationConfig"
TABLE: tuple[tuple[Any, ...], ...] = (
    (r"/message:send", ("POST",), "message/send", _send, To.task_or_message),
    (r"/message:stream", ("POST",), "message/stream", _send, _nothing),
    (f"{TASK}:cancel", ("POST",), "tasks/cancel", _task_id, To.task),
    (f"{TASK}:subscribe", ("GET", "POST"), "tasks/resubscribe", _task_id, _nothing),
    (r"/tasks/(?P<id>[^/:]+)", ("GET",), "tasks/get", _query, To.task),
    (CONFIGS, ("POST",), f"{PUSH}/set", _set_config, To.task_push_notification_config),
    (CONFIGS, ("GET",), f"{PUSH}/list", _list_configs, _configs),
    (CONFIG, ("GET",), f"{PUSH}/get", _get_config, To.task_push_notification_config),
    (CONFIG, ("DELETE",), f"{PUSH}/delete", _delete_config, _nothing),
    (r"/card", ("GET",), "agent/getAuthenticatedExtendedCard", _no_params, To.agent_card),
)
ROUTES = [(re.compile(pattern), verbs, Route(*route)) for pattern, verbs, *route in TABLE]


def find_route(verb: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """`path` as it was sent, below /v1. None: 0.3 has nothing there."""
    for pattern, verbs, route in ROUTES:
        found = pattern.fullmatch(path.rstrip("/"))
        if found and verb in verbs:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def read_request(route: Route, model: Any, path: Mapping[str, str], body: bytes) -> Any:
    """The request of JSON-RPC that means the same. Raises `JSONParseError` and `InvalidParamsError`."""
    json = loads(body) if body.strip() else {}
    if not isinstance(json, dict):
        raise JSONParseError("The body must be an object.")
    try:
        params = route.request(path, json)
        return model(id="", params=params) if params is not None else model(id="")
    except (ValidationError, ValueError, TypeError, ParseError, RecursionError):
        raise InvalidParamsError("The body does not have the form of A2A 0.3") from None


def answer_json(route: Route, answer: Any) -> Json:
    """A model of 0.3 as the JSON of its protobuf."""
    found: Json = MessageToDict(route.answer(answer))
    return found


def event_json(event: Any) -> Json:
    found: Json = MessageToDict(To.stream_response(event))
    return found


def failure_json(error: A2AError | Refusal, version: str) -> Json:
    """Clients of 0.3 look for the error's number or for its class, both at the top; what 1.0 says stands beside."""
    told = jsonrpc_error(error)
    forgot = isinstance(error, InvalidParamsError) and not version
    return {
        "code": told["code"],
        "type": type(error).__name__,
        "message": told["message"] + (f". {FORGOTTEN}" if forgot else ""),
        "data": details(error),
    }
