from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis import Redis, RedisError

from ops.backups.refusals import Refused
from ops.command import OperatorCommand, Report

BATCH = 1000


class Command(OperatorCommand):
    help = (
        "Empty the cache. Of Redis only the cache's own keys go: what streams, and news on their way, are there, too. "
        "Nobody is signed out."
    )
    examples = ("", "--json")

    def work(self) -> Report:
        if not settings.REDIS_URL:
            raise Refused("The cache is in the memory of each process: start the server again to empty it.")
        try:
            return {"deleted": _delete_all()}
        except (RedisError, OSError) as error:
            raise Refused(f"Redis does not answer, look at REDIS_URL: {error}") from None

    def lines(self, report: Report) -> list[str]:
        return [f"Deleted {report['deleted']:,} entries."]


def _delete_all() -> int:
    deleted = 0
    with Redis.from_url(settings.REDIS_URL) as client:
        batch: list[Any] = []
        for key in client.scan_iter(match=cache.make_key("*"), count=BATCH):
            batch.append(key)
            if len(batch) == BATCH:
                deleted += int(client.unlink(*batch))
                batch.clear()
        return deleted + (int(client.unlink(*batch)) if batch else 0)
