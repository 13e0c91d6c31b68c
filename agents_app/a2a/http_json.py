"""The HTTP+JSON binding: paths and verbs say what is wanted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import NoSuchAddress, WrongMethod, invalid
from agents_app.a2a.operations import Operations
from agents_app.a2a.protojson import loads

Unary = Callable[[Operations, Any, Caller], Awaitable[Any]]

JSON_TYPES = ("application/json", "application/a2a+json")
NEWEST = "application/a2a+json"


class Route(NamedTuple):
    operation: str
    methods: tuple[str, ...]
    unary: Unary | None = None  # None: a stream


ROUTES = [
    (re.compile(pattern), Route(*route))
    for pattern, *route in (
        (r"/message:send", "SendMessage", ("POST",), Operations.send_message),
        (r"/message:stream", "SendStreamingMessage", ("POST",)),
        (r"/tasks", "ListTasks", ("GET",), Operations.list_tasks),
        (r"/tasks/(?P<id>[^/]+):cancel", "CancelTask", ("POST",), Operations.cancel_task),
        (r"/tasks/(?P<id>[^/]+):subscribe", "SubscribeToTask", ("GET", "POST")),
        (r"/tasks/(?P<id>[^/:]+)", "GetTask", ("GET",), Operations.get_task),
        (
            r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs",
            "CreateTaskPushNotificationConfig",
            ("POST",),
            Operations.create_task_push_notification_config,
        ),
        (
            r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs",
            "ListTaskPushNotificationConfigs",
            ("GET",),
            Operations.list_task_push_notification_configs,
        ),
        (
            r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs/(?P<id>[^/]+)",
            "GetTaskPushNotificationConfig",
            ("GET",),
            Operations.get_task_push_notification_config,
        ),
        (
            r"/tasks/(?P<taskId>[^/]+)/pushNotificationConfigs/(?P<id>[^/]+)",
            "DeleteTaskPushNotificationConfig",
            ("DELETE",),
            Operations.delete_task_push_notification_config,
        ),
        (r"/extendedAgentCard", "GetExtendedAgentCard", ("GET",), Operations.get_extended_agent_card),
    )
]


class Match(NamedTuple):
    route: Route
    tenant: str
    path_params: dict[str, str]


def find_route(method: str, path: str) -> Match:
    """`path` as it was sent, below the interface's address; a first segment that no route knows is the tenant.

    Raises `NoSuchAddress` and `WrongMethod`.
    """
    allowed: set[str] = set()
    for tenant, rest in _readings(path.rstrip("/")):
        for pattern, route in ROUTES:
            found = pattern.fullmatch(rest)
            if found and method in route.methods:
                return Match(route, tenant, {name: unquote(value) for name, value in found.groupdict().items()})
            allowed.update(route.methods if found else ())
    if allowed:
        raise WrongMethod(
            f"This address takes {', '.join(sorted(allowed))}.", headers={"allow": ", ".join(sorted(allowed))}
        )
    raise NoSuchAddress("There is nothing at this address. See /docs/ for those that A2A has.")


def _readings(path: str) -> list[tuple[str, str]]:
    readings = [("", path)]
    first, slash, rest = path.removeprefix("/").partition("/")
    if slash:
        readings.append((unquote(first), f"/{rest}"))
    return readings


def read_params(match: Match, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """What the body, the query and the path say; the path wins. Raises `JSONParseError` and `InvalidParamsError`."""
    params: dict[str, Any] = {}
    if body.strip():
        params = loads(body)
        if not isinstance(params, dict):
            raise invalid("body", "must be an object")
    for name, value in query.items():
        params.setdefault(name, value)
    tenant = params.get("tenant") or ""
    if match.tenant and tenant and tenant != match.tenant:
        raise invalid("tenant", "differs from the one in the path")
    return {**params, **match.path_params, "tenant": match.tenant or tenant}


def answer_type(headers: Mapping[str, str]) -> str:
    """The newest name where the caller knows it or asks for nothing in particular; the plain one for the others."""
    accept = headers.get("accept", "")
    if NEWEST in accept or NEWEST in headers.get("content-type", "") or accept.strip() in ("", "*/*"):
        return NEWEST
    return "application/json"
