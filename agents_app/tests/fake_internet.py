"""A small web server in place of the internet: both weather services, an article, and whatever pages a test puts up.

In a test: the fixture `internet` (settings point at it). Beside a server of its own, for a browser test:

    python -m agents_app.tests.fake_internet 8099
    OUTGOING_ALLOW=127.0.0.1 OPEN_METEO_URL=http://127.0.0.1:8099 OPEN_METEO_GEOCODING_URL=http://127.0.0.1:8099 ...
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agents_app.tests import fake_weather

ARTICLE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The groundhog of Punxsutawney</title>
<meta name="description" content="Why a small town asks a groundhog about the weather."></head>
<body><nav><a href="/">Home</a> <a href="/about">About us</a></nav>
<article><h1>The groundhog of Punxsutawney</h1>
<p>Every year on the second of February, the town of Punxsutawney wakes a groundhog called Phil before sunrise and
asks him about the weather. If he sees his shadow, there will be six more weeks of winter.</p>
<p>Meteorologists have compared a century of his forecasts with what happened. He was right in about four years of ten,
which is a little worse than tossing a coin, and nobody in Punxsutawney minds.</p>
<p>The custom came with settlers from Germany, where a badger did the same work at Candlemas.</p></article>
<footer>© The Gobbler's Knob Gazette</footer></body></html>"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    body: bytes | str | Iterable[bytes] = b""  # pieces are sent one by one, without a length
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause_seconds: float = 0  # before every piece


def as_json(value: Any, status: int = 200) -> Page:
    return Page(json.dumps(value), "application/json", status)


def redirect(to: str, status: int = 302) -> Page:
    return Page(status=status, headers={"Location": to})


@dataclass
class FakeInternet:
    url: str
    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    services: dict[str, Callable[[dict[str, str]], Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Page:
        self.asked.append(asked)
        if asked.path in self.services:
            try:
                return as_json(self.services[asked.path](asked.query))
            except fake_weather.Refused as refusal:
                return as_json({"cod": refusal.status, "message": str(refusal)}, refusal.status)
        return self.pages.get(asked.path, Page("<h1>Not found</h1>", status=404))


@contextmanager
def serve(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[FakeInternet]:
    """Serve on 127.0.0.1 from a thread; port 0 takes a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme, port = "https" if tls else "http", server.server_port
    internet = FakeInternet(f"{scheme}://127.0.0.1:{port}", port)
    internet.pages["/article"] = Page(ARTICLE)
    internet.services.update(fake_weather.SERVICES)
    server.internet = internet  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield internet
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        page = self.server.internet.answer(Asked(parts.path, dict(parse_qsl(parts.query)), headers))  # type: ignore[attr-defined]
        try:
            self._send(page)
        except OSError:  # whoever asked has hung up, as it should on a page that is too large or slow
            pass

    def _send(self, page: Page) -> None:
        body = page.body.encode() if isinstance(page.body, str) else page.body
        self.send_response(page.status)
        if page.content_type:
            self.send_header("Content-Type", page.content_type)
        if isinstance(body, bytes):
            self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in [body] if isinstance(body, bytes) else body:
            time.sleep(page.pause_seconds)
            self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    with serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as internet:
        print(f"The fake internet is at {internet.url}", flush=True)
        threading.Event().wait()
