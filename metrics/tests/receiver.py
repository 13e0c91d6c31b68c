"""A webhook's receiver: a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Receiver:
    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/hook"
        self.received: list[tuple[dict[str, str], Any]] = []
        self.body = b""

    def signature(self, secret: str) -> str:
        return f"sha256={hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()}"


@contextmanager
def receiving(status: int = 204) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((dict(self.headers), json.loads(receiver.body)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
