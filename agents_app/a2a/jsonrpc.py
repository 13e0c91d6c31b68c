"""The JSON-RPC binding: one address for each agent, the method says what is wanted."""

from __future__ import annotations

from typing import Any

from a2a.utils.errors import (
    A2AError,
    InvalidParamsError,
    InvalidRequestError,
    MethodNotFoundError,
)

from agents_app import fast_json
from agents_app.a2a.errors import Json, Refusal, jsonrpc_error
from agents_app.a2a.operations import Operations
from agents_app.a2a.protojson import loads

UNARY = {
    "SendMessage": Operations.send_message,
    "GetTask": Operations.get_task,
    "ListTasks": Operations.list_tasks,
    "CancelTask": Operations.cancel_task,
    "CreateTaskPushNotificationConfig": Operations.create_task_push_notification_config,
    "GetTaskPushNotificationConfig": Operations.get_task_push_notification_config,
    "ListTaskPushNotificationConfigs": Operations.list_task_push_notification_configs,
    "DeleteTaskPushNotificationConfig": Operations.delete_task_push_notification_config,
    "GetExtendedAgentCard": Operations.get_extended_agent_card,
}
STREAMS = ("SendStreamingMessage", "SubscribeToTask")


class Envelope:
    """A JSON-RPC request. `error` says what is wrong with it; its `id` may be known all the same."""

    def __init__(self, body: bytes) -> None:
        self.id: str | int | float | None = None
        self.method = ""
        self.params: dict[str, Any] = {}
        self.request: dict[str, Any] = {}  # as it came
        self.error: A2AError | None = None
        try:
            self._read(body)
        except A2AError as error:
            self.error = error

    def _read(self, body: bytes) -> None:
        request = loads(body)
        if isinstance(request, list):
            raise InvalidRequestError("Batches are not supported: send one request at a time.")
        if not isinstance(request, dict):
            raise InvalidRequestError('The body must be an object with "jsonrpc": "2.0".')
        self.request = request
        self._read_id(request.get("id"))
        if request.get("jsonrpc") != "2.0":
            raise InvalidRequestError('The body must be an object with "jsonrpc": "2.0".')
        self._read_call(request.get("method"), request.get("params"))

    def _read_id(self, id: Any) -> None:
        if isinstance(id, bool) or not isinstance(id, str | int | float):
            raise InvalidRequestError("The id must be a string or a number: notifications are not supported.")
        self.id = id

    def _read_call(self, method: Any, params: Any) -> None:
        if not isinstance(method, str) or not method:
            raise InvalidRequestError("The method must be a string.")
        if params is not None and not isinstance(params, dict):
            raise InvalidParamsError("The params must be an object.")
        self.method, self.params = method, params or {}

    def check_method(self) -> None:
        if self.method not in UNARY and self.method not in STREAMS:
            raise MethodNotFoundError(f"There is no method {self.method[:64]!r}.")


def result(id: Any, value: Any) -> bytes:
    return fast_json.dumps({"jsonrpc": "2.0", "id": id, "result": value})


def failure(id: Any, error: A2AError | Refusal) -> bytes:
    return dumps({"jsonrpc": "2.0", "id": id, "error": jsonrpc_error(error)})


def dumps(value: Json) -> bytes:
    return fast_json.dumps(value)
