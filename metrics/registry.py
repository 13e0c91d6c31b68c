"""Every metric that this process counts by itself. The names follow Prometheus: `_total`, `_seconds`, `_bytes`.

Each label multiplies what is kept: only labels with few values, none that a caller can choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chat.traffic import traffic
from metrics.vitals import read_vitals

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()

FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
PATIENT_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LONGEST_LABEL = 60


def _counter(name: str, what: str, *labels: str) -> Counter:
    return Counter(name, what, labels, registry=REGISTRY)


def _histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, what, labels, buckets=buckets, registry=REGISTRY)


TASKS = _counter("tkr_tasks_total", "Tasks that ended, by agent and state.", "agent", "state")
MESSAGES = _counter("tkr_messages_total", "Messages saved: of people, of agents, or inner.", "kind")
TOKENS = _counter("tkr_tokens_total", "Tokens of language models.", "agent", "brain", "direction")
PRICE = _counter("tkr_price_dollars_total", "What answers cost, where the price is known.", "agent", "brain")
FIRST_PIECE = _histogram(
    "tkr_first_piece_seconds", "From a request to the first piece of its answer.", PATIENT_SECONDS, "agent"
)
ANSWER = _histogram(
    "tkr_answer_seconds", "From a request to the end of its answer, if no person was asked.", PATIENT_SECONDS, "agent"
)
TOOL = _histogram("tkr_tool_seconds", "Calls of tools.", PATIENT_SECONDS, "tool", "outcome")
DELEGATION = _histogram("tkr_delegation_seconds", "One agent asking another.", PATIENT_SECONDS, "agent", "outcome")
ERRORS = _counter("tkr_errors_total", "Lines in the log of level ERROR or worse, by app.", "app")
COMMITS = _histogram("tkr_journal_commit_seconds", "Commits of the journal.", FAST_SECONDS)
BATCHES = _histogram("tkr_journal_batch_entries", "Entries in one commit of the journal.", BATCH_SIZES)
CALLS = _counter("tkr_a2a_calls_total", "Calls over A2A.", "binding", "operation", "outcome")
CALL_SECONDS = _histogram("tkr_a2a_call_seconds", "Calls over A2A, streams to their end.", PATIENT_SECONDS, "operation")
PUSHES = _counter("tkr_push_attempts_total", "Tries to deliver push notifications.", "outcome")
REQUESTS = _counter("tkr_http_requests_total", "HTTP requests.", "area", "method", "status")
REQUEST_SECONDS = _histogram(
    "tkr_http_request_seconds", "HTTP requests, until the answer begins.", (*FAST_SECONDS, 5, 10), "area"
)
SAMPLING = Gauge("tkr_sampling_seconds", "What the last sample of this process took.", registry=REGISTRY)


M = TypeVar("M", Counter, Histogram)
_children: dict[Any, Any] = {}


def child(metric: M, *values: str) -> M:
    """Of a metric, the one with these labels. Looking it up in Prometheus costs more than counting does."""
    key = (metric, values)
    found = _children.get(key)
    if found is None:
        found = _children[key] = metric.labels(*values)
    return found


class Vitals(Collector):
    """What is read rather than counted."""

    def describe(self) -> list[Metric]:
        return list(self.collect())

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("tkr_frames_in_total", "Frames from browsers.", value=traffic.frames_in)
        yield CounterMetricFamily("tkr_frames_out_total", "Frames to browsers.", value=traffic.frames_out)
        now = read_vitals()
        yield GaugeMetricFamily("tkr_sockets_open", "Browsers' sockets.", value=now.open_sockets)
        yield GaugeMetricFamily("tkr_tasks_running", "Tasks that run in this process.", value=now.running_tasks)
        yield GaugeMetricFamily("tkr_memory_bytes", "Resident memory.", value=now.memory_bytes)
        yield GaugeMetricFamily(
            "tkr_event_loop_lag_seconds", "The worst of the last ten seconds.", value=now.loop_lag_seconds
        )
        pool = now.pool
        for name, what, value in (
            ("size", "Database connections that are open.", pool.size if pool else None),
            ("max", "Database connections that may be open.", pool.max if pool else None),
            ("in_use", "Database connections that somebody uses.", pool.in_use if pool else None),
            ("waiting", "Callers who wait for a database connection.", pool.waiting if pool else None),
        ):
            yield _maybe(GaugeMetricFamily(f"tkr_pool_{name}", what, labels=()), value)
        timeouts = CounterMetricFamily("tkr_pool_timeouts_total", "Callers who waited for one in vain.", labels=())
        yield _maybe(timeouts, pool.timeouts if pool else None)


def _maybe(family: Metric, value: float | None) -> Metric:
    """Without a value it is known, and not there."""
    if value is not None:
        family.add_metric((), value)  # type: ignore[attr-defined]
    return family


REGISTRY.register(Vitals())


class Figure(NamedTuple):
    """`labels` as Prometheus writes them, without the braces: `agent="chloe",state="failed"`."""

    name: str
    labels: str
    value: float


def read_figures() -> list[Figure]:
    """Of this process, as they stand."""
    return [
        Figure(sample.name, write_labels(sample.labels), sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
    ]


def write_labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_labels(text: str) -> dict[str, str]:
    return {name: re.sub(r"\\(.)", _unescaped, value) for name, value in LABEL.findall(text)}


def without_label(text: str, name: str) -> str:
    return ",".join(f'{each}="{value}"' for each, value in LABEL.findall(text) if each != name)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def is_added_up(name: str) -> bool:
    """Counts, which grow, as against readings, which are what they are."""
    return name.endswith(("_total", "_bucket", "_sum", "_count"))


_seen: dict[str, set[str]] = {}


def bounded(label: str, value: str, most: int = 60) -> str:
    """For a label whose values are an operator's or a provider's: however many there are, so many are kept apart."""
    value = value[:LONGEST_LABEL] or "none"
    seen = _seen.setdefault(label, set())
    if value not in seen:
        if len(seen) >= most:
            return "other"
        seen.add(value)
    return value
