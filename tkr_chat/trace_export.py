"""Sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT says. Loaded only when tracing is on, and the SDK's traces with it.

The SDK reads its standard variables itself; `settings.py` has put them where it looks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Status

from accounts import tracing

LAST_WORDS_SECONDS = 3.0  # for what is not sent yet when the process ends


OURS = "tkr."
SAID_OF_MODELS = frozenset(  # names and numbers, none of which a person writes
    {
        "error.type",
        "exception.type",
        "gen_ai.agent.name",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.max_tokens",
        "gen_ai.request.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.model",
        "gen_ai.tool.name",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "operation.cost",
        "server.address",
        "server.port",
    }
)


class Discreet(SpanExporter):
    """Lets through what is known to hold nothing that was said: a library that promises so may forget a place."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_without_words(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _without_words(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_known(span.attributes),
        events=[Event(event.name, _known(event.attributes), event.timestamp) for event in span.events],
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def _known(attributes: Any) -> dict[str, Any]:
    given = (attributes or {}).items()
    return {name: value for name, value in given if name.startswith(OURS) or name in SAID_OF_MODELS}


class Ids(RandomIdGenerator):
    """Random, but for spans that somebody else has made up already (`tracing.was`)."""

    def generate_trace_id(self) -> int:
        known = tracing.itself()
        return known.trace_id if known else super().generate_trace_id()

    def generate_span_id(self) -> int:
        known = tracing.itself()
        return known.span_id if known else super().generate_span_id()


def start(process: str, kind: str) -> TracerProvider:
    """`kind`: what the process is, `web`, `worker` or `grpc`."""
    known = {"service.version": settings.VERSION, "service.instance.id": process, "tkr.process": kind}
    provider = TracerProvider(resource=Resource.create(known), id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Discreet(OTLPSpanExporter())))
    tracing.switch_on(provider)
    return provider


def stop(provider: TracerProvider) -> None:
    """Send what is left. A collector that does not answer keeps nobody from ending."""
    tracing.switch_off()
    sending = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
    sending.start()
    sending.join(LAST_WORDS_SECONDS)
