from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx

from tkr_chat.tests.a2a.site import MAKE_TOKEN
from tkr_chat.tests.backups.installation import PATIENCE_SECONDS, Installation
from tkr_chat.tests.server import serving

WRITERS = 8
BEFORE, AFTER = 5, 2  # messages of each writer before the backup begins, and after it ended
NO_LIMITS = {"RATE_PER_MINUTE_API": "0", "RATE_PER_MINUTE_MESSAGES": "0", "RATE_PER_MINUTE_ADDRESS": "0"}


class Writer(threading.Thread):
    """Talks in a conversation of its own, and notes what was confirmed, and when."""

    def __init__(self, address: str, token: str) -> None:
        super().__init__(daemon=True)
        headers = {"Authorization": f"Bearer {token}"}
        self._program = httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=PATIENCE_SECONDS)
        self.confirmed: list[tuple[float, str]] = []
        self.enough = threading.Event()

    def run(self) -> None:
        room = self._program.post("/conversations", json={"agents": ["clerk"]}).raise_for_status().json()["id"]
        while not self.enough.is_set():
            said = self._program.post(f"/conversations/{room}/messages", json={"text": "stream"}).raise_for_status()
            self.confirmed.append((time.monotonic(), said.json()["id"]))


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_message_that_was_confirmed_before_is_on_the_new_server(
    here: Installation, install: Callable[[str], Installation]
) -> None:
    cast = {"DJANGO_SETTINGS_MODULE": "tkr_chat.tests.a2a.settings", **NO_LIMITS}
    here.run("prepare", **cast)
    token = here.run("shell", "--no-imports", "-c", MAKE_TOKEN.format(name="ada"), **cast).split()[-1]
    with serving(here.data, "--no-link", **here.variables | cast) as server:
        writers = [Writer(server.address, token) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        until(lambda: all(len(writer.confirmed) >= BEFORE for writer in writers))
        began = time.monotonic()
        made = here.report("backup", "--prove", **cast)
        ended = time.monotonic()
        until(lambda: all(sum(at > ended for at, _ in writer.confirmed) >= AFTER for writer in writers))
        for writer in writers:
            writer.enough.set()
            writer.join(PATIENCE_SECONDS)

    there = install("there")
    there.run("restore", str(here.backups / made["name"]), "--yes", **cast)

    before = {id for writer in writers for at, id in writer.confirmed if at < began}
    assert len(before) >= WRITERS * BEFORE, "need messages that were confirmed before for this test to mean anything"
    assert before <= there.message_ids()
    assert any(began < at < ended for writer in writers for at, _ in writer.confirmed), "nobody had to wait for its end"
