"""A2A requests as they arrive: JSON checked whole, before anything is done with it.

As ProtoJSON asks: names in camelCase or as in the .proto, null for absent, whole numbers also as text, enums by name or
number, unknown fields left alone. Errors name the field by its camelCase path.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from agents_app.a2a.errors import invalid
from agents_app.a2a.wire import state_name
from agents_app.base import Part
from agents_app.models import TaskState
from agents_app.texts import UNSAVEABLE

Json = Mapping[str, Any]

MAX_ID_CHARS = 255
MAX_TENANT_CHARS = 200
MAX_LISTED = 100
DEEPEST = 100
STATES = (
    TaskState.SUBMITTED,
    TaskState.WORKING,
    TaskState.COMPLETED,
    TaskState.FAILED,
    TaskState.CANCELED,
    TaskState.INPUT_REQUIRED,
    TaskState.REJECTED,
    TaskState.AUTH_REQUIRED,
)  # TaskState in the .proto, from 1
STATE_BY_NAME = {state_name(state): state for state in STATES}
UPPER = re.compile("[A-Z]")


@dataclass(frozen=True, slots=True)
class SendRequest:
    message_id: str
    context_id: str
    task_id: str
    parts: tuple[Part, ...]
    metadata: dict[str, Any]  # of the message
    extensions: tuple[str, ...]
    references: tuple[str, ...]
    request_metadata: dict[str, Any]
    history_length: int | None
    return_immediately: bool
    accepted_output_modes: tuple[str, ...]
    push_config: Json | None


@dataclass(frozen=True, slots=True)
class ListRequest:
    context_id: str = ""
    state: TaskState | None = None
    page_size: int = 50
    page_token: str = ""
    history_length: int | None = None
    changed_since: datetime | None = None
    with_artifacts: bool = False


@lru_cache(maxsize=256)
def _in_proto(name: str) -> str:
    """A field's name as the .proto has it."""
    return UPPER.sub(lambda upper: f"_{upper[0].lower()}", name)


class Reader:
    """Reads fields of one JSON object, and names them by their path in errors."""

    def __init__(self, json: Any, path: str = "") -> None:
        if not isinstance(json, dict):
            raise invalid(path or "params", "must be an object")
        self._json = json
        self._path = path

    def at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def names(self, name: str) -> bool:
        return name in self._json

    def value(self, name: str) -> Any:
        found = self._json.get(name)
        return self._json.get(_in_proto(name)) if found is None else found

    def text(self, name: str, *, required: bool = False, limit: int = MAX_ID_CHARS) -> str:
        value = self.value(name)
        if value is None or value == "":
            if required:
                raise invalid(self.at(name), "is required")
            return ""
        if not isinstance(value, str):
            raise invalid(self.at(name), "must be a string")
        if len(value) > limit:
            raise invalid(self.at(name), f"has more than {limit} characters")
        if UNSAVEABLE.search(value):
            raise invalid(self.at(name), "holds a character that cannot be saved")
        return value

    def whole(self, name: str, least: int, most: int = 2**31 - 1) -> int | None:
        value = self.value(name)
        if value is None:
            return None
        number = _whole(value)
        if number is None:
            raise invalid(self.at(name), "must be a whole number")
        if not least <= number <= most:
            raise invalid(
                self.at(name), f"must be {least} or more" if most == 2**31 - 1 else f"must be {least} to {most}"
            )
        return number

    def flag(self, name: str) -> bool:
        value = self.value(name)
        if value in ("true", "false"):  # in a query
            return bool(value == "true")
        if value is not None and not isinstance(value, bool):
            raise invalid(self.at(name), "must be true or false")
        return bool(value)

    def object(self, name: str) -> dict[str, Any]:
        value = self.value(name)
        if value is not None and not isinstance(value, dict):
            raise invalid(self.at(name), "must be an object")
        _check_saveable(value, self.at(name))
        return dict(value or {})

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and len(item) <= 2000 for item in value):
            raise invalid(self.at(name), "must be a list of strings")
        if len(value) > MAX_LISTED:
            raise invalid(self.at(name), f"has more than {MAX_LISTED} items")
        _check_saveable(value, self.at(name))
        return tuple(value)


def read_send(params: Any) -> SendRequest:
    """A SendMessageRequest. Raises `InvalidParamsError`."""
    request = Reader(params)
    if request.value("message") is None:
        raise invalid("message", "is required")
    message = Reader(request.value("message"), "message")
    configuration = Reader(request.object("configuration"), "configuration")
    _check_role(message)
    push = configuration.value("taskPushNotificationConfig")
    return SendRequest(
        message_id=message.text("messageId", required=True),
        context_id=message.text("contextId"),
        task_id=message.text("taskId"),
        parts=_parts(message),
        metadata=message.object("metadata"),
        extensions=message.texts("extensions"),
        references=message.texts("referenceTaskIds"),
        request_metadata=request.object("metadata"),
        history_length=configuration.whole("historyLength", 0),
        return_immediately=configuration.flag("returnImmediately"),
        accepted_output_modes=configuration.texts("acceptedOutputModes"),
        push_config=None if push is None else configuration.object("taskPushNotificationConfig"),
    )


def read_list(params: Any) -> ListRequest:
    """A ListTasksRequest. Raises `InvalidParamsError`."""
    request = Reader(params)
    size = request.whole("pageSize", 1, 100)
    return ListRequest(
        context_id=request.text("contextId"),
        state=_state(request),
        page_size=50 if size is None else size,
        page_token=request.text("pageToken"),
        history_length=request.whole("historyLength", 0),
        changed_since=_moment(request, "statusTimestampAfter"),
        with_artifacts=request.flag("includeArtifacts"),
    )


def read_tenant(params: Any) -> str:
    """Empty: the default one. Raises `InvalidParamsError`."""
    return Reader(params).text("tenant", limit=MAX_TENANT_CHARS)


def _check_role(message: Reader) -> None:
    role = message.value("role")
    if role in (None, "", 0, "ROLE_UNSPECIFIED"):
        raise invalid("message.role", "is required")
    if role not in ("ROLE_USER", "ROLE_AGENT", 1, 2):
        raise invalid("message.role", "must be ROLE_USER")


def _parts(message: Reader) -> tuple[Part, ...]:
    parts = message.value("parts")
    if not isinstance(parts, list) or not parts:
        raise invalid("message.parts", "is required, with at least one part")
    if len(parts) > settings.A2A_MAX_PARTS:
        raise invalid("message.parts", f"has more than {settings.A2A_MAX_PARTS} parts")
    return tuple(_part(Reader(part, f"message.parts[{number}]")) for number, part in enumerate(parts))


def _part(part: Reader) -> Part:
    given = [name for name in ("text", "raw", "url") if part.value(name) is not None]
    if part.names("data"):  # null is data too
        given.append("data")
    if len(given) != 1:
        raise invalid(part.at("text"), "must be set, or raw, url or data instead: exactly one of them")
    common: dict[str, Any] = {
        "media_type": part.text("mediaType"),
        "filename": part.text("filename"),
        "metadata": part.object("metadata"),
    }
    match given[0]:
        case "text":
            return Part(text=part.text("text", limit=settings.A2A_MAX_BODY_BYTES), **common)
        case "raw":
            return Part(raw=_bytes(part), **common)
        case "url":
            return Part(url=part.text("url", required=True, limit=8192), **common)
    _check_saveable(part.value("data"), part.at("data"))
    return Part(data=part.value("data"), **common)


def _check_saveable(value: Any, path: str, depth: int = 0) -> None:
    """What is kept as it came must go into any database, and out of it through any binding."""
    if depth > DEEPEST:
        raise invalid(path, f"is nested more than {DEEPEST} deep")
    if isinstance(value, str) and UNSAVEABLE.search(value):
        raise invalid(path, "holds a character that cannot be saved")
    if isinstance(value, dict):
        for name, item in value.items():
            _check_saveable(name, path)
            _check_saveable(item, path, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_saveable(item, path, depth + 1)


def _bytes(part: Reader) -> bytes:
    text = part.value("raw")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise invalid(part.at("raw"), "must be base64") from None


def _state(request: Reader) -> TaskState | None:
    value = request.value("status")
    if value in (None, "", 0, "TASK_STATE_UNSPECIFIED"):
        return None
    number = _whole(value)
    if number is not None and 1 <= number <= len(STATES):
        return STATES[number - 1]
    if not isinstance(value, str) or value not in STATE_BY_NAME:
        raise invalid("status", f"must be one of {', '.join(STATE_BY_NAME)}")
    return STATE_BY_NAME[value]


def _moment(request: Reader, name: str) -> datetime | None:
    text = request.text(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and moment.year > 1:
            return moment
    except ValueError:
        pass
    raise invalid(name, "must be a time such as 2026-01-31T12:00:00Z")


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and not value.is_integer():
        return None
    try:
        return int(value) if isinstance(value, int | float | str) and len(str(value)) < 20 else None
    except (ValueError, OverflowError):
        return None
