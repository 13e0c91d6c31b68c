"""Who calls: a program with a token, or a signed-in browser that proves with a CSRF token that its page meant it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.security.session import SessionAuth as NinjaSessionAuth
from ninja.utils import check_csrf

from accounts.access import find_token
from accounts.context import bind
from accounts.models import Scope, User
from agents_app.threads import in_thread
from chat import rates

FOR_A2A_ALONE = "This token is for A2A alone. Make one that may do everything the chat page can."
FOR_STAFF_ALONE = "This is for administrators: use a token of one."


class ApiRequest(HttpRequest):
    """What an operation gets: nobody reaches one without being known."""

    auth: User


class TokenAuth(HttpBearer):
    async def authenticate(self, request: HttpRequest, token: str) -> User:
        found = await in_thread(find_token, token)
        if found is None:  # never the session instead: whoever sends a token wants to know that it is not accepted
            raise AuthenticationError
        if not found.allows(Scope.API):
            raise AuthorizationError(message=FOR_A2A_ALONE)
        bind(person=found.user_id)
        await rates.count_call(found.user_id, found.id)
        return found.user


class StaffTokenAuth(TokenAuth):
    """For the operations of administrators. Not for browsers: a page that is open for other things cannot do them."""

    async def authenticate(self, request: HttpRequest, token: str) -> User:
        user = await super().authenticate(request, token)
        if not user.is_staff:
            raise AuthorizationError(message=FOR_STAFF_ALONE)
        return user


class SessionAuth(APIKeyCookie):
    param_name = NinjaSessionAuth.param_name

    def __init__(self) -> None:
        super().__init__(csrf=False)  # checked below: a stranger should hear "sign in", and not about CSRF

    async def authenticate(self, request: HttpRequest, key: str | None) -> Any | None:
        user = await request.auser()
        if not user.is_authenticated:
            return None
        if check_csrf(request):
            raise AuthorizationError(message="The CSRF token is missing or old. Reload the page and try again.")
        bind(person=user.pk)
        await rates.count_call(user.pk)
        return user
