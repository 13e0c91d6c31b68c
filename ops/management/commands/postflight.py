from __future__ import annotations

from argparse import ArgumentParser
from functools import partial

from django.conf import settings

from ops.command import Report
from ops.examination import data, deployment, running
from ops.examination.command import ExaminationCommand
from ops.examination.findings import examine


class Command(ExaminationCommand):
    help = "What to see to once a new version serves: its health, its metrics, its processes, and what it logs."
    examples = ("", "--url http://127.0.0.1:8000 --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="Where the server is (PUBLIC_URL).")

    def work(self, *, strict: bool, url: str) -> Report:
        url = url.rstrip("/")
        looks = (
            ("health", partial(deployment.health, url)),
            ("metrics", partial(deployment.metrics, url)),
            ("migrations", data.migrations),
            ("processes", running.processes),
            ("redis", running.redis),
            ("schedules", running.schedules),
            ("agents", running.agents),
            ("log", deployment.error_log),
        )
        return self.reported(examine(looks), strict)
