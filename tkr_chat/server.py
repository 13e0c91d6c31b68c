"""The server process: uvicorn, with the agents' runtime living in its event loop."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from agents_app.threads import in_thread
from tkr_chat import lifetime
from tkr_chat.ending import end_surely

JSON_BYTES_PER_CHAR = 12  # the longest way to write one: two \uXXXX
FRAME_BYTES = 64 * 1024  # the rest of a frame: ids, attachments
LAST_WORDS_SECONDS = 3  # for what is still being sent when the agents have ended
BACKLOG = 2048


class BrowserSocket(WebSocketsSansIOProtocol):
    """Notes when the browser last answered a ping, and when it is gone: nothing above the protocol knows as soon."""

    def handle_pong(self, event: Any) -> None:
        super().handle_pong(event)
        self.scope["state"]["pong_at"] = time.time()

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "scope"):  # not before the request is read
            self.scope["state"]["is_gone"] = True
        super().connection_lost(exc)


class AgentServer(uvicorn.Server):
    """`greeting` is asked for when the agents work, and `greet` called with it when the port answers."""

    def __init__(self, application: Any, greeting: Callable[[], str], greet: Callable[[str], None]) -> None:
        self._greeting = greeting
        self._greet = greet
        super().__init__(
            uvicorn.Config(
                application,
                loop="uvloop",
                http="httptools",
                ws=BrowserSocket,
                ws_max_size=settings.CHAT_MESSAGE_MAX_CHARS * JSON_BYTES_PER_CHAR + FRAME_BYTES,
                ws_ping_interval=settings.WEBSOCKET_PING_SECONDS,
                ws_ping_timeout=settings.WEBSOCKET_PING_TIMEOUT_SECONDS,
                ws_per_message_deflate=False,  # frames are small and many, and a compressor costs 300 KiB a socket
                lifespan="off",  # `startup` and `shutdown` do the same, with the sockets still open at the end
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # whoever sends X-Forwarded-For could choose their address
                timeout_graceful_shutdown=LAST_WORDS_SECONDS,
            )
        )

    def serve_on(self, listening: socket.socket) -> None:
        _allow_many_sockets()
        self.run(sockets=[listening])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await lifetime.begin("web")
        greeting = await in_thread(self._greeting)
        await super().startup(sockets)
        self._greet(greeting)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No new connections, let the agents finish, then close the rest: who watches sees the answers that end."""
        for server in self.servers:
            server.close()
        await lifetime.end()
        await super().shutdown(sockets)
        end_surely()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """uvicorn would raise the signal again after the end; for us being told to stop is no failure."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def listen(host: str, port: int) -> socket.socket:
    """Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def _allow_many_sockets() -> None:
    """Every browser is an open file, and the usual limit of 1,024 is only a default that may be raised."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
