"""How long tasks whose runner died have nobody who runs them."""

from __future__ import annotations

import time

from bench.servers import Postgres

LOOK_SECONDS = 0.1
GIVE_UP_SECONDS = 60.0


def seconds_until_taken_over(postgres: Postgres, database: str, pid: int) -> float:
    """That process has died just now."""
    his = f"state IN ('submitted', 'working') AND lease_owner LIKE '%/{pid}/%'"
    died, seconds = time.monotonic(), 0.0
    while seconds < GIVE_UP_SECONDS and postgres.sql(f"SELECT 1 FROM agents_app_task WHERE {his} LIMIT 1", database):
        time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - died
    return seconds
