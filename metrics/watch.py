"""What one process does for all. The watches run in whatever process is there first, also in one that runs no agents: that
nobody runs agents is one of the things to be noticed."""

from __future__ import annotations

from datetime import timedelta

from agents_app.schedules import Schedule
from metrics.actions.alerts import evaluate_rules
from metrics.actions.samples import save_samples
from metrics.alert_delivery import deliver_alerts
from metrics.models.sample import SAMPLE_SECONDS
from metrics.readings import read_server
from metrics.sampler import sample_time

OFTEN = timedelta(seconds=SAMPLE_SECONDS)


def watch_server() -> None:
    figures = read_server()
    save_samples("", sample_time(), figures, figures)
    evaluate_rules()


WATCHES = [
    Schedule("metrics.watch_server", watch_server, every=OFTEN, longest=timedelta(minutes=2)),
    Schedule("metrics.deliver_alerts", deliver_alerts, every=OFTEN, longest=timedelta(minutes=5)),
]
