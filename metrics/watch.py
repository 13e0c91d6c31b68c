"""What one process does for all, every ten seconds: read the whole server, keep it."""

from __future__ import annotations

from datetime import time, timedelta

from agents_app.schedules import Schedule
from metrics.actions.pruning import prune_samples
from metrics.actions.samples import save_samples
from metrics.models.sample import SAMPLE_SECONDS
from metrics.readings import read_server
from metrics.sampler import sample_time


def watch_server() -> None:
    figures = read_server()
    save_samples("", sample_time(), figures, figures)


WATCH = Schedule(
    "metrics.watch_server",
    watch_server,
    every=timedelta(seconds=SAMPLE_SECONDS),
    longest=timedelta(minutes=2),
)
PRUNE = Schedule("metrics.prune_samples", prune_samples, at=time(3, 40), longest=timedelta(hours=6))
