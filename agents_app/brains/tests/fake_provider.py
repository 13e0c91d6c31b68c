"""A server that speaks OpenAI's chat completions, streaming, on a port of this machine. It plays a script."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Words:
    """An answer in text, in the given pieces."""

    pieces: list[str]
    cut: bool = False  # the connection breaks before the end
    chunked: bool = True  # else the end of the connection is the end of the answer, so a cut one looks whole


@dataclass
class Calls:
    """An answer that calls tools: id, name, arguments."""

    calls: list[tuple[str, str, dict[str, Any]]]
    words: str = ""


@dataclass
class Fails:
    status: int
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Silence:
    """Nothing is sent for so long, or until the server is stopped."""

    seconds: float


class FakeProvider:
    """`script` is used up answer by answer; `requests` are the bodies that came."""

    def __init__(self, *script: Words | Calls | Fails | Silence) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.stopped = threading.Event()
        self.listings = 0  # times the models were asked for
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[FakeProvider]:
        class Handler(_Handler):
            provider = self

        server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.stopped.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    provider: FakeProvider
    protocol_version = "HTTP/1.1"
    chunked = True

    def do_GET(self) -> None:
        self.provider.listings += 1
        self._send_json(200, {"data": [{"id": "nomic-embed-text"}, {"id": "llama3.2"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.provider.requests.append(body)
        self.provider.asked.set()
        step = self.provider.script.pop(0)
        if isinstance(step, Silence):
            self.provider.stopped.wait(step.seconds)
            return
        if isinstance(step, Fails):
            self._send_json(step.status, {"error": {"message": step.message, "code": "x"}}, step.headers)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.chunked = not isinstance(step, Words) or step.chunked
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = not self.chunked
        for delta in _deltas(step):
            self._send_chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        if isinstance(step, Words) and step.cut:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        reason = "tool_calls" if isinstance(step, Calls) else "stop"
        self._send_chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        self._send_chunk({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}})
        self._write(b"data: [DONE]\n\n")
        if self.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        pass

    def _send_json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _send_chunk(self, chunk: dict[str, Any]) -> None:
        whole = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "test-model", **chunk}
        self._write(f"data: {json.dumps(whole)}\n\n".encode())

    def _write(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" if self.chunked else data)
        self.wfile.flush()


def _deltas(step: Words | Calls) -> Iterator[dict[str, Any]]:
    if isinstance(step, Words):
        yield from ({"role": "assistant", "content": piece} for piece in step.pieces)
        return
    if step.words:
        yield {"role": "assistant", "content": step.words}
    for index, (call_id, name, arguments) in enumerate(step.calls):
        function = {"name": name, "arguments": json.dumps(arguments)}
        yield {"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]}
