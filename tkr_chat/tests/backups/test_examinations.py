from __future__ import annotations

import json
import time
from pathlib import Path

from tkr_chat.tests.backups.installation import Installation
from tkr_chat.tests.processes import manage
from tkr_chat.tests.server import serving

DB_POOL_TIMEOUT = 30  # seconds, by default


def colours(here: Installation, *command: str, ends: int, **variables: str) -> dict[str, str]:
    """The worst colour of each thing that was looked at."""
    done = manage(here.data, *command, "--json", **here.variables | variables)
    assert done.returncode == ends, done.stdout + done.stderr
    found = json.loads(done.stdout)["findings"]
    worst = {"green": 0, "amber": 1, "red": 2}
    return {each["name"]: each["colour"] for each in sorted(found, key=lambda each: worst[each["colour"]])}


def test_it_works(here: Installation) -> None:
    here.run("backup", "--prove")
    with serving(here.data, "--no-link", **here.variables) as server:
        assert "is ready" in server.banner
        doctor = colours(here, "doctor", ends=0)
        flown = colours(here, "postflight", "--url", server.address, ends=0)

    assert {doctor[name] for name in ("migrations", "processes", "queue", "clock", "secrets")} == {"green"}
    assert doctor["database"] != "red", "others may use it, too"
    assert doctor["backups"] == doctor["brains"] == doctor["agents"] == "green"
    assert {flown[name] for name in ("health", "metrics", "migrations", "processes", "agents")} == {"green"}


def test_what_is_wrong_is_red(here: Installation) -> None:
    here.run("a2akey", "make")
    here.run("migrate", "ops", "zero")
    (here.data / "secret-key").chmod(0o644)

    found = colours(here, "doctor", ends=1, SECRET_KEY="another", REDIS_URL="redis://127.0.0.1:1/0")

    assert {found[name] for name in ("migrations", "secrets", "redis", "backups")} == {"red"}
    assert (found["permissions"], found["processes"]) == ("amber", "amber")


def test_a_database_that_is_away_is_told_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    done = manage(tmp_path, "doctor", DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

    assert done.returncode == 1 and "psycopg.pool" not in done.stderr
    assert "✗ database" in done.stdout and "Start it, or look at DATABASE_URL." in done.stdout
    assert time.monotonic() - began < DB_POOL_TIMEOUT, "nothing waited for a connection"


def test_without_a_server_the_new_version_does_not_fly(here: Installation) -> None:
    assert colours(here, "postflight", "--url", "http://127.0.0.1:1", ends=1)["health"] == "red"


def test_before_it_flies_a_backup_is_proven(here: Installation) -> None:
    before = colours(here, "preflight", "--strict", ends=1)
    assert before["backups"] == before["settings"] == "amber" and "red" not in before.values()
    assert "dependencies" in before

    after = colours(here, "preflight", "--backup", ends=0)
    assert (after["backups"], after["settings"]) == ("green", "amber"), "without --strict amber is no failure"
