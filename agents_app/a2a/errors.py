"""A2A errors as each binding tells them. The classes are the SDK's, so every binding maps the same ones."""

from __future__ import annotations

from typing import Any

from a2a.utils.errors import (
    A2A_ERROR_MAPPING,
    JSON_RPC_ERROR_CODE_MAP,
    A2AError,
    InternalError,
    InvalidParamsError,
    JSONParseError,
)

Json = dict[str, Any]

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
DOMAIN = "a2a-protocol.org"
OURS = "tkr-agent-chat"
REFUSED = -32000  # JSON-RPC leaves this code to the server: who calls, or how often, not what is called


class Refusal(Exception):
    """No to the caller, whatever is asked: HTTP says it with a status of its own, in every binding."""

    status = 403
    grpc_status = "PERMISSION_DENIED"
    reason = "FORBIDDEN"

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.headers = headers or {}


class Unauthenticated(Refusal):
    status, grpc_status, reason = 401, "UNAUTHENTICATED", "UNAUTHENTICATED"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"www-authenticate": 'Bearer realm="A2A"'})


class Forbidden(Refusal):
    pass


class TooMany(Refusal):
    status, grpc_status, reason = 429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, headers={"retry-after": str(max(1, round(seconds)))})


class TooLarge(Refusal):
    status, grpc_status, reason = 413, "RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"


class WrongContentType(Refusal):
    status, grpc_status, reason = 415, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"


class NoSuchAddress(Refusal):
    status, grpc_status, reason = 404, "NOT_FOUND", "NOT_FOUND"


class WrongMethod(Refusal):
    status, grpc_status, reason = 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"


def invalid(field: str, description: str) -> InvalidParamsError:
    """A field is missing or wrong; `field` is its path in camelCase."""
    return InvalidParamsError(f"{field}: {description}", data={"violations": [(field, description)]})


def http_status(error: A2AError | Refusal) -> int:
    if isinstance(error, Refusal):
        return error.status
    return 400 if isinstance(error, JSONParseError) else A2A_ERROR_MAPPING[_known(error)].http_code


def jsonrpc_error(error: A2AError | Refusal) -> Json:
    """The `error` of a JSON-RPC response."""
    code = REFUSED if isinstance(error, Refusal) else JSON_RPC_ERROR_CODE_MAP[_known(error)]
    return {"code": code, "message": str(error), "data": details(error)}


def rest_error(error: A2AError | Refusal) -> Json:
    """The body of an HTTP+JSON error."""
    if isinstance(error, Refusal):
        name = error.grpc_status
    else:
        name = "INVALID_ARGUMENT" if isinstance(error, JSONParseError) else A2A_ERROR_MAPPING[_known(error)].grpc_status
    status = http_status(error)
    return {"error": {"code": status, "status": name, "message": str(error), "details": details(error)}}


def details(error: A2AError | Refusal) -> list[Json]:
    """google.rpc details as JSON."""
    if isinstance(error, Refusal):
        return _refusal_details(error)
    mapping = A2A_ERROR_MAPPING.get(_known(error))
    info: Json = {"@type": ERROR_INFO, "reason": mapping.reason if mapping else "INVALID_REQUEST", "domain": DOMAIN}
    if metadata := (error.data or {}).get("metadata"):
        info["metadata"] = metadata
    found = [info]
    violations = (error.data or {}).get("violations")
    if violations:
        named = [{"field": field, "description": description} for field, description in violations]
        found.append({"@type": BAD_REQUEST, "fieldViolations": named})
    return found


def _refusal_details(refusal: Refusal) -> list[Json]:
    found: list[Json] = [{"@type": ERROR_INFO, "reason": refusal.reason, "domain": OURS}]
    if seconds := refusal.headers.get("retry-after"):
        found.append({"@type": RETRY_INFO, "retryDelay": f"{seconds}s"})
    return found


def _known(error: A2AError) -> type[A2AError]:
    return type(error) if type(error) in JSON_RPC_ERROR_CODE_MAP else InternalError
