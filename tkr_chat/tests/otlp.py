"""A collector of traces that reads OTLP."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from metrics.tests.listening import listening


@dataclass
class Span:
    name: str
    trace: str
    id: str
    parent: str
    process: str
    values: dict[str, str]
    failed: bool
    seconds: float


@dataclass
class Collector:
    address: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def until(self, enough: Callable[[list[Span]], bool], seconds: float) -> list[Span]:
        """They are sent every few seconds."""
        deadline = time.monotonic() + seconds
        while not enough(list(self.spans)):
            assert time.monotonic() < deadline, [(span.name, span.values) for span in self.spans]
            time.sleep(0.1)
        return list(self.spans)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    def take(path: str, headers: dict[str, str], body: bytes) -> int:
        body = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        collector.headers.append(headers)
        collector.bodies.append(body)
        if path == "/v1/traces":
            collector.spans.extend(_spans(ExportTraceServiceRequest.FromString(body)))
        return 200

    with listening(take) as address:
        collector.address = address
        yield collector


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        process = _values(resource.resource.attributes).get("tkr.process", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    process,
                    _values(span.attributes),
                    span.status.code == span.status.STATUS_CODE_ERROR,
                    (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                )


def _values(attributes: Any) -> dict[str, str]:
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value") or "string_value")) for pair in attributes}
