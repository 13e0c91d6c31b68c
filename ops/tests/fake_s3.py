"""S3 as far as HTTP goes: signatures are checked, objects are kept in memory, and it stumbles when it is told to."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from ops.backups.stores.s3_signing import Signer

SIGNER = Signer("an access key", "a secret key", "eu-central-1")
PAGE = 2  # keys of one list
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class FakeS3(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/bucket"
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.calls: list[str] = []
        self.failures = 0  # so many calls are answered with 503
        self.cut_after = 0  # so many bytes of the next download are sent


class _Handler(BaseHTTPRequestHandler):
    server: FakeS3
    protocol_version = "HTTP/1.1"

    def handle_call(self) -> None:
        parts = urlsplit(self.path)
        self.key = unquote(parts.path.removeprefix("/bucket").removeprefix("/"))
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.calls.append(f"{self.command} {self.key} {','.join(sorted(self.query))}".strip())
        if self.server.failures:
            self.server.failures -= 1
            return self.error(503, "SlowDown", "Please reduce your request rate.")
        if not self.is_signed(parts.path):
            return self.error(403, "SignatureDoesNotMatch", "The signature does not match.")
        return getattr(self, f"on_{self.command.lower()}")()

    do_GET = do_PUT = do_POST = do_DELETE = handle_call  # noqa: N815  (http.server calls them so)

    def is_signed(self, path: str) -> bool:
        if hashlib.sha256(self.body).hexdigest() != self.headers["x-amz-content-sha256"]:
            return False
        now = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        url = f"http://{self.headers['host']}{path}"
        expected = SIGNER.headers(self.command, url, self.query, self.body, now)
        return expected["authorization"] == self.headers["authorization"]

    def on_get(self) -> None:
        if not self.key:
            return self.listed()
        content = self.server.objects.get(self.key)
        if content is None:
            return self.error(404, "NoSuchKey", "The specified key does not exist.")
        start = int(re.findall(r"\d+", self.headers.get("range", "bytes=0-"))[0])
        if start >= len(content):
            return self.error(416, "InvalidRange", "The requested range is not satisfiable.")
        return self.answer(206, content[start:])

    def listed(self) -> None:
        keys = sorted(key for key in self.server.objects if key.startswith(self.query["prefix"]))
        start = int(self.query.get("continuation-token", 0))
        items = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in keys[start : start + PAGE]
        )
        more = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if start + PAGE < len(keys) else ""
        self.answer(200, f'<ListBucketResult xmlns="{NAMESPACE}">{items}{more}</ListBucketResult>'.encode())

    def on_put(self) -> None:
        if upload := self.query.get("uploadId"):
            self.server.uploads[upload][int(self.query["partNumber"])] = self.body
        else:
            self.server.objects[self.key] = self.body
        self.answer(200, b"", etag=f'"{hashlib.md5(self.body).hexdigest()}"')

    def on_post(self) -> None:
        if "uploads" in self.query:
            upload = f"upload-{len(self.server.calls)}"
            self.server.uploads[upload] = {}
            return self.answer(200, f"<Result xmlns='{NAMESPACE}'><UploadId>{upload}</UploadId></Result>".encode())
        parts = self.server.uploads.pop(self.query["uploadId"])
        named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>\"(\w+)\"</ETag>", self.body.decode())
        if [(int(number), tag) for number, tag in named] != [
            (number, hashlib.md5(part).hexdigest()) for number, part in sorted(parts.items())
        ]:
            return self.answer(200, b"<Error><Message>One or more parts could not be found.</Message></Error>")
        self.server.objects[self.key] = b"".join(part for _, part in sorted(parts.items()))
        return self.answer(200, b"<Done/>")

    def on_delete(self) -> None:
        if upload := self.query.get("uploadId"):
            self.server.uploads.pop(upload)
        else:
            self.server.objects.pop(self.key, None)
        self.answer(204, b"")

    def error(self, status: int, code: str, message: str) -> None:
        self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command == "GET" and self.key and self.server.cut_after:
            body, self.server.cut_after = body[: self.server.cut_after], 0
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def fake_s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
