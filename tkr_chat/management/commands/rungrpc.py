from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from agents_app.a2a.grpc_server import STOP_SECONDS, CannotListen, Tls, make_server
from agents_app.checks import AGENTS
from tkr_chat import lifetime
from tkr_chat.ending import end_surely
from tkr_chat.prepared import require_prepared_database


class Command(BaseCommand):
    requires_system_checks = (AGENTS,)  # the others load every page
    help = "Serve the agents over gRPC, A2A 1.0 and 0.3, in a process beside `serve`. Set A2A_GRPC_URL to tell of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.A2A_GRPC_HOST, help="Address to listen on (A2A_GRPC_HOST).")
        parser.add_argument(
            "--port", default=settings.A2A_GRPC_PORT, type=int, help="Port to listen on (A2A_GRPC_PORT); 0: any."
        )
        parser.add_argument("--cert", default=settings.A2A_GRPC_CERT, help="TLS certificate, PEM (A2A_GRPC_CERT).")
        parser.add_argument("--key", default=settings.A2A_GRPC_KEY, help="Its private key, PEM (A2A_GRPC_KEY).")
        parser.add_argument(
            "--client-ca",
            default=settings.A2A_GRPC_CLIENT_CA,
            help="Callers need a certificate signed by one of these, PEM (A2A_GRPC_CLIENT_CA).",
        )

    def handle(self, *, host: str, port: int, cert: str, key: str, client_ca: str, **_: Any) -> None:
        if bool(cert) != bool(key) or (client_ca and not cert):
            raise CommandError("TLS needs a certificate and its key: give both --cert and --key.")
        require_prepared_database()
        connections.close_all()  # this is the event loop's thread: it must never wait for a database again
        try:
            asyncio.run(self._serve(host, port, Tls(cert, key, client_ca) if cert else None))
        except OSError as error:
            raise CommandError(f"Cannot read {error.filename}: {error.strerror}") from None
        except CannotListen as refusal:
            raise CommandError(str(refusal)) from None

    async def _serve(self, host: str, port: int, tls: Tls | None) -> None:
        server, bound = make_server(host, port, tls)
        told = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        await lifetime.begin("grpc")
        await server.start()
        how = "with TLS" if tls else "without TLS"
        self.stdout.write(f"A2A over gRPC is served on {host}:{bound}, {how}. Ctrl-C stops it.")
        self.stdout.flush()  # whoever reads it through a pipe wants it now
        await told.wait()
        await _stop(server)
        end_surely()


async def _stop(server: Any) -> None:
    """No new calls, let the agents finish, then close the rest: who watches sees the answers that end."""
    grace = settings.AGENTS_DRAIN_SECONDS + STOP_SECONDS
    stopping = asyncio.ensure_future(server.stop(grace))
    await lifetime.end()
    try:
        await asyncio.wait_for(asyncio.shield(stopping), STOP_SECONDS)
    except TimeoutError:
        await server.stop(0)
