"""The cache, with a Redis that is not there."""

from __future__ import annotations

from tkr_chat.cache import PatientRedisCache
from tkr_chat.tests.server import free_port


def test_it_works_without_redis() -> None:
    cache = PatientRedisCache(f"redis://127.0.0.1:{free_port()}/0", {})
    for _ in range(2):
        cache.set("name", "Ada")
        assert cache.get("name", "nobody") == "nobody"
        assert cache.add("claim", 1)
        assert not cache.delete("name") and "name" not in cache and not cache.touch("name")
