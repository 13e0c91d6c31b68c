"""What /metrics says, in Prometheus's text format.

Whichever process is asked tells of all: of itself as it is now, of the others what they last saved (every ten seconds). A
label `process` keeps them apart, so that counters never go back; what is true of the whole server has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.utils import timezone

from metrics import registry
from metrics.actions.samples import FRESH
from metrics.heartbeat import process_name
from metrics.models import Figures
from metrics.readings import all_readings
from metrics.registry import Figure, write_labels

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    name: str
    type: str
    what: str


def write_metrics() -> str:
    lines: dict[str, list[str]] = {}
    for process, figures in _all_figures():
        for name, labels, value in figures:
            lines.setdefault(name, []).append(_line(name, labels, process, value))
    return "".join(_written(family, lines) for family in list_families())


def list_families() -> list[Family]:
    """Every metric there is, of processes and of the whole server."""
    counted = [
        Family(f"{found.name}_total" if found.type == "counter" else found.name, found.type, found.documentation)
        for found in registry.REGISTRY.collect()
    ]
    return counted + [Family(reading.name, "gauge", reading.what) for reading in all_readings()]


def list_names() -> list[str]:
    """Names of samples: a histogram has three."""
    return [name for family in list_families() for name in sample_names(family)]


def sample_names(family: Family) -> list[str]:
    if family.type == "histogram":
        return [f"{family.name}_{end}" for end in ("bucket", "count", "sum")]
    return [family.name]


def _all_figures() -> Iterator[tuple[str, Iterable[Figure]]]:
    here = process_name()
    yield here, registry.read_figures()
    for saved in Figures.objects.filter(taken_at__gt=timezone.now() - FRESH).exclude(process=here):
        yield saved.process, (Figure(*figure) for figure in saved.figures)


def _written(family: Family, lines: dict[str, list[str]]) -> str:
    head = f"# HELP {family.name} {family.what}\n# TYPE {family.name} {family.type}\n"
    return head + "".join(line for name in sample_names(family) for line in lines.get(name, ()))


def _line(name: str, labels: str, process: str, value: float) -> str:
    of = write_labels({"process": process}) if process else ""
    inside = ",".join(filter(None, (labels, of)))
    return f"{name}{{{inside}}} {value!r}\n" if inside else f"{name} {value!r}\n"
