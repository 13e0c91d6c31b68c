from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from django.core.management import BaseCommand
from django.db import transaction
from django.utils import timezone

from metrics.models import Sample

PAUSE_SECONDS = 0.005


class Command(BaseCommand):
    help = "Write a row again and again until something is read; prints how long each commit took, in seconds."

    def handle(self, **_: Any) -> None:
        ended = threading.Event()
        threading.Thread(target=_wait_for_a_line, args=(ended,), daemon=True).start()
        waits: list[float] = []
        while not ended.is_set():
            begun = time.monotonic()
            with transaction.atomic():
                Sample.objects.create(name="tkr_bench_writer", timestamp=timezone.now(), value=1)
            waits.append(time.monotonic() - begun)
            time.sleep(PAUSE_SECONDS)
        self.stdout.write(json.dumps(waits))


def _wait_for_a_line(ended: threading.Event) -> None:
    sys.stdin.readline()
    ended.set()
