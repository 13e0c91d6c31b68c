"""What is done every night without anybody asking for it."""

from __future__ import annotations

from datetime import time, timedelta

from agents_app.schedules import Schedule
from metrics.actions.pruning import prune_samples

PRUNE = Schedule("metrics.prune_samples", prune_samples, at=time(3, 40), longest=timedelta(hours=6))
