"""Where the time goes between a person's message and the last agent's answer: spans of OpenTelemetry.

Off, as it is by default, a span is one comparison and nothing that makes or sends them is loaded; `tkr_chat/trace_export.py`
switches it on. The names of all spans stand in docs/operations.md. What people and agents say, and what is secret, is
never put into one: ids, names and states are.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Self

from opentelemetry import context as contexts
from opentelemetry.trace import (
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    TracerProvider,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NAME = "tkr-agent-chat"
HEADER = "traceparent"
LONGEST_SECONDS = 3600.0  # that a browser may say something took
ITSELF = contexts.create_key("tkr-span-itself")
W3C = TraceContextTextMapPropagator()

_provider: TracerProvider | None = None
_tracer: Tracer | None = None


class Work:
    """A piece of work that is traced, as long as its block runs. `around`: spans made inside the block belong to it."""

    def __init__(self, span: Span, *, around: bool = True) -> None:
        self._span = span
        self._around = around

    def __enter__(self) -> Self:
        if self._around:
            self._before = contexts.get_current()
            contexts.attach(set_span_in_context(self._span, self._before))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._around:
            # Set back and not detached: a generator may be closed in another context than the one that it began in.
            contexts.attach(self._before)
        self.end(error)

    def note(self, **attributes: object) -> None:
        for name, value in attributes.items():
            if value not in (None, ""):
                self._span.set_attribute(f"tkr.{name}", value if isinstance(value, int | float) else str(value))

    def fail(self, what: str) -> None:
        """`what`: the name of a class or a code. Its text may be what somebody said."""
        self._span.set_attribute("error.type", what)
        self._span.set_status(StatusCode.ERROR)

    def end(self, error: BaseException | None = None) -> None:
        if isinstance(error, Exception):  # a turn that ends, or is cancelled, is none
            self.fail(type(error).__name__)
        self._span.end()

    @property
    def headers(self) -> dict[str, str]:
        """For whoever is called in the course of it."""
        return _headers(set_span_in_context(self._span, contexts.Context()))


class _Nothing(Work):
    """In the place of every span while tracing is off."""

    def __init__(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, **_: object) -> None:
        pass

    def fail(self, _: str) -> None:
        pass

    def end(self, _: BaseException | None = None) -> None:
        pass

    @property
    def headers(self) -> dict[str, str]:
        return {}


_NOTHING = _Nothing()


def switch_on(provider: TracerProvider) -> None:
    global _provider, _tracer
    _provider, _tracer = provider, provider.get_tracer(NAME)


def switch_off() -> None:
    global _provider, _tracer
    _provider = _tracer = None


def is_on() -> bool:
    return _tracer is not None


def provider() -> TracerProvider:
    """For libraries that make spans of their own. Only while it is on."""
    assert _provider is not None
    return _provider


def span(
    name: str,
    *,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    around: bool = True,
    **attributes: object,
) -> Work:
    """`parent`: a `traceparent`; None: what is being done here; empty or wrong: a trace of its own begins.

    `around` must be False in a generator that yields inside the block: what its reader does is not part of the span.
    """
    if _tracer is None:
        return _NOTHING
    within = None if parent is None else _context(parent)
    work = Work(_tracer.start_span(name, within, kind), around=around)
    work.note(**attributes)
    return work


def until(done: asyncio.Future[Any], name: str) -> None:
    """A span that ends when `done` does. Not for what nobody's traced work is waiting for."""
    if _tracer is not None and get_current_span().is_recording():
        work = span(name)
        done.add_done_callback(lambda future: work.end(None if future.cancelled() else future.exception()))


def was(name: str, traceparent: str, seconds: float) -> None:
    """Something that took so long elsewhere and ended now, where it made its `traceparent` itself: only it knows."""
    if _tracer is None:
        return
    known = get_current_span(_context(traceparent)).get_span_context()
    if not known.is_valid:
        return
    now = time.time_ns()
    began = now - int(min(max(seconds, 0.0), LONGEST_SECONDS) * 1e9)
    token = contexts.attach(contexts.set_value(ITSELF, known))  # the generator of ids reads it
    try:
        made = _tracer.start_span(name, contexts.Context(), SpanKind.CLIENT, start_time=began)
    finally:
        contexts.detach(token)
    made.end(now)


def traceparent() -> str:
    """What is being done here, for whoever goes on with it; empty without a trace."""
    return "" if _tracer is None else _headers(contexts.get_current()).get(HEADER, "")


def trace_id() -> str:
    """Of what is being done here, 32 hexadecimal digits; empty without a trace."""
    if _tracer is None:
        return ""
    current = get_current_span().get_span_context()
    return format_trace_id(current.trace_id) if current.is_valid else ""


def itself() -> SpanContext | None:
    """For the generator of ids: what the span that is being made is called already."""
    found = contexts.get_value(ITSELF)
    return found if isinstance(found, SpanContext) else None


def _context(traceparent: str) -> contexts.Context:
    return W3C.extract({HEADER: traceparent}, contexts.Context())


def _headers(context: contexts.Context) -> dict[str, str]:
    headers: dict[str, str] = {}
    W3C.inject(headers, context)
    return headers
