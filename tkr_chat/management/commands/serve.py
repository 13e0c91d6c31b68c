from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.db import connections

from accounts.access import find_first_admin
from accounts.actions.sign_in_links import make_sign_in_link
from agents_app.brains import describe_default
from tkr_chat.addresses import address_of
from tkr_chat.prepared import require_prepared_database


class Command(BaseCommand):
    help = "Serve the chat, the API and the agents. Prints a link that signs the first administrator in, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="Address to listen on (HOST).")
        parser.add_argument("--port", default=settings.PORT, type=int, help="Port to listen on (PORT).")
        parser.add_argument("--no-link", action="store_true", help="Print no sign-in link, for logs that others read.")

    def handle(self, *, host: str, port: int, no_link: bool, **_: Any) -> None:
        from tkr_chat.asgi import application  # noqa: PLC0415  (loads every page; other commands need none)
        from tkr_chat.server import AgentServer, listen  # noqa: PLC0415

        require_prepared_database()
        moved = (host, port) != (settings.HOST, settings.PORT)
        base = address_of(host, port) if moved else settings.PUBLIC_URL
        try:
            listening = listen(host, port)
        except OSError as error:
            raise SystemExit(
                f"Cannot listen on {host}:{port} ({error.strerror}): "
                f"stop what is there, or choose another port, such as PORT={port + 1}."
            ) from None
        AgentServer(application, lambda: _banner(base, with_link=not no_link), self.show).serve_on(listening)

    def show(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # whoever reads it through a pipe wants it now


def _banner(base: str, *, with_link: bool) -> str:
    admin = find_first_admin() if with_link else None
    rows = [("Chat", f"{base}/"), ("Brain", describe_default())]
    if settings.A2A_ANONYMOUS != "off":
        whom = "anybody" if settings.A2A_ANONYMOUS == "on" else "programs on this machine"
        rows.append(("A2A", f"{base}/a2a/, without a token for {whom}"))
    if admin:
        rows.append(("Sign in once", make_sign_in_link(admin, base)))
    connections.close_all()  # this is the event loop's thread: it must never wait for a database again
    lines = [f"  {name:<12}  {value}" for name, value in rows]
    return "\n".join(["", "tkr-agent-chat is ready. Ctrl-C stops it.", "", *lines, "", ""])
