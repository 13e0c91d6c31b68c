"""What a browser's WebSocket passes before its consumer: who it is, and from which page it comes."""

from __future__ import annotations

from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any, NamedTuple

from channels.auth import get_user
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.conf import settings

from agents_app.threads import in_thread

PATH = "/ws"
# Channels' own thread is one for everything: all pages that come back would stand in its line.
find_user = get_user.func
KEPT_HEADERS = {b"user-agent"}


class SignedIn(NamedTuple):
    """All that is kept of a session while its socket is open."""

    session_key: str


class Sockets:
    """Channels' `AuthMiddlewareStack` and `URLRouter` in one: each of theirs keeps a frame and a copy of the scope as long as
    the socket is open, and most sockets only wait."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._store = import_module(settings.SESSION_ENGINE).SessionStore

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != PATH:
            await WebsocketDenier()(scope, receive, send)
            return
        await self._sign_in(scope)
        await self._consumer(scope, receive, send)

    async def _sign_in(self, scope: Any) -> None:
        headers = dict(scope["headers"])
        cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
        session = self._store(cookie.value if cookie else None)
        scope["user"] = await in_thread(find_user, {"session": session})
        scope["session"] = SignedIn(session.session_key or "")
        scope["headers"] = [header for header in scope["headers"] if header[0] in KEPT_HEADERS]


def sockets(consumer: Any) -> Any:
    """Only pages of our own hosts open one."""
    return AllowedHostsOriginValidator(Sockets(consumer))
