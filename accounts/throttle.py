"""Slows guessing of passwords down to one guess a minute. Per person and address, so that nobody locks others out."""

from __future__ import annotations

from math import ceil
from time import time

from django.core.cache import cache
from django.http import HttpRequest

from accounts.secrets import hash_of

FREE_ATTEMPTS = 5
REMEMBERED_SECONDS = 15 * 60
WAIT_SECONDS = 60


def seconds_to_wait(request: HttpRequest, username: str) -> int:
    """0: this attempt may be made. Counts it before the password is looked at, or a hundred at once would all pass."""
    key = _key(request, username)
    cache.add(key, 0, REMEMBERED_SECONDS)
    if cache.incr(key) <= FREE_ATTEMPTS:
        return 0
    now = time()
    if cache.add(f"{key}:wait", now + WAIT_SECONDS, WAIT_SECONDS):  # adds for one caller only: it has the next turn
        return 0
    return max(1, ceil(cache.get(f"{key}:wait", now) - now))


def forget_attempts(request: HttpRequest, username: str) -> None:
    key = _key(request, username)
    cache.delete_many([key, f"{key}:wait"])


def _key(request: HttpRequest, username: str) -> str:
    who = f"{request.META.get('REMOTE_ADDR', '')} {username.lower()}"
    return f"sign-in:{hash_of(who)}"
