from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from redis import Redis

from accounts.models import User


def report_of(*command: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*command, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.django_db(transaction=True)
def test_it_works(ada: User) -> None:
    report = report_of("vacuum")

    assert report["ok"] and report["bytes_before"] > 0 < report["bytes_after"]
    assert User.objects.get() == ada


def test_the_cache_is_emptied_and_nothing_else() -> None:
    if not settings.REDIS_URL:
        with pytest.raises(SystemExit):
            report_of("clearcache")
        return
    cache.set_many({str(number): number for number in range(1500)})
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.set("something else", "1")

        assert report_of("clearcache")["deleted"] >= 1500

        assert cache.get("1") is None and redis.get("something else") == b"1"
        redis.delete("something else")
