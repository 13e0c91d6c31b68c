"""Every error in one shape: `{"error": {"code", "message"}}`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from agents_app.allowance import AllowanceSpent
from agents_app.rates import RateExceeded
from agents_app.runtime.journal import Refused
from chat.access import NotAllowed, NotFound
from chat.actions.conversations import BadConversation
from chat.actions.messages import BadMessage
from chat.pages import BadCursor

Handler = Callable[[HttpRequest, Any], HttpResponse]  # ninja types the error as an instance or its class

logger = logging.getLogger(__name__)

UNAUTHENTICATED = 'Sign in, or send "Authorization: Bearer <token>" with a token from your settings page.'
TOO_LARGE = "This request is too large. Send less at once."
UNREADABLE = "This request cannot be read. Check that its body is what its Content-Type says."
AWAY = "The database cannot do this now; the server's log says why. Try again in a moment."
AWAY_SECONDS = 5  # after which somebody may try again
UNFORESEEN = "Something went wrong on the server; its log says what. Try again."
CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

# The text of these is written for people.
EXPLAINED: dict[type[Exception], tuple[int, str]] = {
    NotFound: (404, "not_found"),
    NotAllowed: (403, "forbidden"),
    BadConversation: (400, "bad_conversation"),
    BadMessage: (400, "bad_message"),
    BadCursor: (400, "bad_cursor"),
    Refused: (409, "conflict"),
}
WORDED: dict[type[Exception], tuple[int, str, str]] = {
    AuthenticationError: (401, "unauthenticated", UNAUTHENTICATED),
    RequestDataTooBig: (413, "too_large", TOO_LARGE),
    SuspiciousOperation: (400, "bad_request", UNREADABLE),
    MultiPartParserError: (400, "bad_request", UNREADABLE),
}


def error_response(status: int, code: str, message: str) -> HttpResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JsonResponse({"error": {"code": code, "message": message}}, status=status, headers=headers)


@csrf_exempt  # it changes nothing, and Django's refusal is a page
def not_found(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """For every address under /api/ that is none."""
    return error_response(404, "not_found", "There is nothing at this address. /docs/api lists what there is.")


def explain_errors(api: NinjaAPI) -> None:
    for kind, (status, code) in EXPLAINED.items():
        api.add_exception_handler(kind, _explained(status, code))
    for kind, worded in WORDED.items():
        api.add_exception_handler(kind, _worded(*worded))
    api.add_exception_handler(RateExceeded, _too_many)
    api.add_exception_handler(AllowanceSpent, _spent)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(OperationalError, _away)
    api.add_exception_handler(InterfaceError, _away)
    api.add_exception_handler(Exception, _unforeseen)


def _explained(status: int, code: str) -> Handler:
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response(status, code, str(error))

    return answer


def _worded(status: int, code: str, message: str) -> Handler:
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        return error_response(status, code, message)

    return answer


def _too_many(request: HttpRequest, error: Any) -> HttpResponse:
    response = error_response(429, "too_many_requests", str(error))
    response["Retry-After"] = str(max(1, round(error.retry_after)))
    return response


def _spent(request: HttpRequest, error: Any) -> HttpResponse:
    response = error_response(429, "allowance_spent", str(error))
    response["Retry-After"] = str(round(error.seconds_left))
    return response


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    return error_response(error.status_code, CODES.get(error.status_code, "refused"), error.message)


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """Names the first wrong field; where it stood (body, query) and ninja's name for the argument help nobody."""
    first = error.errors[0]
    field = ".".join(str(part) for part in first["loc"][1:] if part not in ("change", "file"))
    message = first["msg"].removeprefix("Value error, ")
    return error_response(422, "invalid", f"{field}: {message}" if field else message)


def _away(request: HttpRequest, error: Any) -> HttpResponse:
    """The database is gone, full, or nobody gives back a connection."""
    logger.error("The database failed %s %s.", request.method, request.path, exc_info=error)
    response = error_response(503, "database_away", AWAY)
    response["Retry-After"] = str(AWAY_SECONDS)
    return response


def _unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
    logger.error("The API failed at %s %s.", request.method, request.path, exc_info=error)
    return error_response(500, "server_error", UNFORESEEN)
