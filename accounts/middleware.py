from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from accounts.actions.sessions import note_session
from accounts.context import bind

NOTED_EVERY_SECONDS = 300  # a write for each request would cost more than most requests
KNOWN_SESSIONS = 10_000


class PersonMiddleware:
    """Says for whom a browser's request is made, in log lines and the audit log, and when that browser was last seen."""

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self._is_async:
            return self.__acall__(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            self._take(request, request.session.get(SESSION_KEY), note_session)
        return self._get_response(request)

    async def __acall__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            user_id = await request.session.aget(SESSION_KEY)
            noting = self._take(request, user_id, sync_to_async(note_session))
            if noting is not None:
                await noting
        return await self._get_response(request)

    def _take(self, request: HttpRequest, user_id: str | None, note: Callable[[HttpRequest, str], Any]) -> Any:
        if not user_id:
            return None
        bind(person=user_id)
        key = request.session.session_key or ""
        now = time.monotonic()
        if self._noted.get(key, 0) > now - NOTED_EVERY_SECONDS:
            return None
        self._noted[key] = now
        while len(self._noted) > KNOWN_SESSIONS:
            self._noted.popitem(last=False)
        return note(request, user_id)
