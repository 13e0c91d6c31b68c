"""What a running server does by itself, and when it is asked."""

from __future__ import annotations

import time
from typing import Any

import httpx

from ops.models import Backup
from tkr_chat.tests.a2a.site import MAKE_TOKEN
from tkr_chat.tests.backups.installation import PATIENCE_SECONDS, Installation
from tkr_chat.tests.server import serving

ADMINISTRATOR = MAKE_TOKEN.format(name="admin")


def when(program: httpx.Client, **values: str) -> dict[str, Any]:
    """The one backup, once it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        [backup] = program.get("/backups").raise_for_status().json()["backups"]
        if all(backup[name] == value for name, value in values.items()):
            return dict(backup)
        assert backup["state"] != Backup.State.FAILED, backup
        time.sleep(0.3)
    raise AssertionError(backup)


def test_it_works(here: Installation) -> None:
    """A program of an administrator has a backup made and proven, while the server serves."""
    token = here.run("shell", "--no-imports", "-c", ADMINISTRATOR).split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serving(here.data, "--no-link", **here.variables) as server,
        httpx.Client(base_url=f"{server.address}/api/v1/admin", headers=headers, timeout=PATIENCE_SECONDS) as program,
    ):
        made = program.post("/backups")
        assert made.status_code == 202 and made.json()["state"] == "running"
        assert program.post("/backups").status_code == 409

        name = when(program, state="whole")["name"]
        assert name == made.json()["name"] and (here.backups / name).is_file()

        assert program.post(f"/backups/{name}/prove").status_code == 202
        assert when(program, proof="proven")["messages"] == 1
        assert program.get("/backups").json()["last_proof"]["messages"] == 1


def test_every_night_one_is_made_proven_and_old_ones_are_pruned(here: Installation) -> None:
    here.run("shell", "--no-imports", "-c", "from ops.nightly import back_up_and_prove; back_up_and_prove()")

    assert [backup["proof"] for backup in here.report("listbackups")["backups"]] == ["proven"]
