"""Every ten seconds each process keeps its own figures in the table `system_metrics`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.db import DatabaseError

from agents_app.threads import in_thread_apart
from metrics import registry
from metrics.actions.samples import forget_figures, save_samples
from metrics.models.sample import SAMPLE_SECONDS
from metrics.registry import Figure

logger = logging.getLogger(__name__)


class Sampler:
    """Knows what it has told already. What could not be saved is told with the next sample."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._told: dict[tuple[str, str], float] = {}

    async def run(self) -> None:
        """For ever; what came since the last sample is saved at the end."""
        try:
            while True:
                await asyncio.sleep(SAMPLE_SECONDS - time.time() % SAMPLE_SECONDS)
                await self.sample()
        finally:
            await self.sample()
            await in_thread_apart(forget_figures, self._process)

    async def sample(self) -> None:
        begun = time.monotonic()
        figures = registry.read_figures()
        apart = list(_apart(figures))
        try:
            await in_thread_apart(save_samples, self._process, sample_time(), list(self._grown(apart)), figures)
        except DatabaseError:
            logger.exception("A sample was not saved; it is made up for.", extra={"action": "sample.retry"})
            return
        self._told = {(name, labels): value for name, labels, value in apart if registry.is_added_up(name)}
        registry.SAMPLING.set(time.monotonic() - begun)

    def _grown(self, figures: Iterable[Figure]) -> Iterator[Figure]:
        for name, labels, value in figures:
            if not registry.is_added_up(name):
                yield Figure(name, labels, value)
            elif more := value - self._told.get((name, labels), 0.0):
                yield Figure(name, labels, more)


def sample_time() -> datetime:
    """The same in all processes, so that what they say of one moment stands together."""
    now = time.time()
    return datetime.fromtimestamp(now - now % SAMPLE_SECONDS, UTC)


def _apart(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Prometheus's buckets hold what is in the smaller ones too; here each stands for itself, and most stay empty."""
    below: dict[str, float] = {}
    for figure in figures:
        if figure.name.endswith("_bucket"):
            of = f"{figure.name} {registry.without_label(figure.labels, 'le')}"
            yield figure._replace(value=figure.value - below.get(of, 0.0))
            below[of] = figure.value
        else:
            yield figure
