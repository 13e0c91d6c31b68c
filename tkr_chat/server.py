"""Daphne, with the agents' runtime living in its event loop."""

from __future__ import annotations

# Before anything else of Twisted: importing it decides which event loop there is.
from daphne.server import Server  # isort: skip

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tkr_chat import lifetime

JSON_BYTES_PER_CHAR = 12  # the longest way to write one: two \uXXXX
FRAME_BYTES = 64 * 1024  # the rest of a frame: ids, attachments
BODY_CHUNK_BYTES = 64 * 1024


class AgentServer(Server):
    """`greeting` is asked for when the port is open and the agents work, and `greet` called with it when all runs."""

    def __init__(
        self, application: Any, host: str, port: int, greeting: Callable[[], str], greet: Callable[[str], None]
    ) -> None:
        self.greeting = greeting
        self.greet = greet
        self.listen_failure = ""
        self.ports: list[Any] = []
        largest_frame = settings.CHAT_MESSAGE_MAX_CHARS * JSON_BYTES_PER_CHAR + FRAME_BYTES
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            ping_interval=settings.WEBSOCKET_PING_SECONDS,
            ping_timeout=settings.WEBSOCKET_PING_TIMEOUT_SECONDS,
            websocket_max_message_size=largest_frame,
            websocket_max_frame_size=largest_frame,
            request_buffer_size=BODY_CHUNK_BYTES,
            ready_callable=self.begin,
            server_name="tkr-agent-chat",
        )

    def begin(self) -> None:
        """Daphne calls it between opening the port and running the loop: a failure here ends the start."""
        _allow_many_sockets()
        asyncio.get_event_loop().run_until_complete(lifetime.begin())
        reactor.callWhenRunning(self.greet, self.greeting())  # not before signals such as Ctrl-C are heard

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    def listen_error(self, failure: Failure) -> None:
        error = getattr(failure.value, "socketError", failure.value)
        self.listen_failure = getattr(error, "strerror", None) or str(error)
        self.stop()

    def kill_all_applications(self) -> Deferred[Any]:
        """Runs when the server is told to stop: no new connections, let the agents finish, then close the rest.

        Daphne itself would close the sockets first, and nobody would see the answers that are finished meanwhile.
        """
        for port in self.ports:
            port.stopListening()
        return Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        await lifetime.end()
        running = [details.get("application_instance") for details in self.connections.values()]
        open_ = [application for application in running if application and not application.done()]
        for application in open_:
            application.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


def _allow_many_sockets() -> None:
    """Every browser is an open file, and the usual limit of 1,024 is only a default that may be raised."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
