from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import re_path

from chat.api import api
from chat.api.errors import error_response, not_found

View = Callable[..., Awaitable[HttpResponseBase]]


def _say_methods_in_json(view: View) -> View:
    """ninja answers a wrong method in plain text, past its own error handlers."""

    @wraps(view)
    async def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        response = await view(request, **kwargs)
        if response.status_code != 405:
            return response
        refused = error_response(405, "method_not_allowed", f"Use {response['Allow']} here.")
        refused["Allow"] = response["Allow"]
        return refused

    return answer


app_name = api.urls_namespace
urlpatterns = list(api.urls[0])
for pattern in urlpatterns:
    if iscoroutinefunction(pattern.callback):
        pattern.callback = _say_methods_in_json(pattern.callback)
urlpatterns.append(re_path("", not_found))
