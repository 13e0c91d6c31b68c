"""Faults of a remote agent: it lives on a second server, which is killed, or stands still, while it answers."""

from __future__ import annotations

import asyncio
import signal

from chaos.alone import Alone
from chaos.load import Load
from chaos.play import Fault
from chaos.product import Product, running
from chaos.report import Row
from chaos.stage import Stage

AGENT = "elsewhere"
AWAY_SECONDS = 4.0  # longer than it is asked again at once: what waits for it is put aside
STILL_SECONDS = 70.0  # longer than anybody waits for a word (`QUIET_SECONDS` of a line)
TEXTS = ("2.0 0.3",)


class Elsewhere(Alone):
    """Everybody asks an agent of another server."""

    far: Product

    async def build(self) -> None:
        await super().build()
        folder = self.folder / AGENT
        (folder / "data").mkdir(parents=True)
        await asyncio.to_thread(Product(folder, {}).manage, "prepare")
        self.far = await asyncio.to_thread(self._open.enter_context, running(folder, {}, 1, 0))
        card = f"http://127.0.0.1:{self.far.webs[0].port}/a2a/steady"
        await asyncio.to_thread(self.product.manage, "chaos_add_agent", card, AGENT)

    async def look(self, row: Row) -> None:
        """Nothing was asked there twice, and what was asked there came to its end there as well."""
        there = await asyncio.to_thread(self.far.check, [])
        row.found["asked twice"] = max(0, there["tasks"] - row.found["tasks"])
        for name in ("gaps", "unfinished", "leases", "left open", "wrong"):
            row.found[name] += there[name]


async def kill_it(stage: Stage, load: Load) -> None:
    assert isinstance(stage, Elsewhere)
    far = stage.far.webs[0]
    await asyncio.to_thread(stage.far.kill, far)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(stage.far.revive, far)


async def hold_it(stage: Stage, load: Load) -> None:
    """Its connections stay, and nothing comes over them any more."""
    assert isinstance(stage, Elsewhere)
    far = stage.far.webs[0].process
    assert far is not None
    far.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(STILL_SECONDS)
    finally:
        far.send_signal(signal.SIGCONT)


ELSEWHERE: dict[str, tuple[type[Elsewhere], Fault]] = {
    "remote-killed": (Elsewhere, Fault("kill -9 of a remote agent in mid-stream", kill_it, 10, TEXTS, AGENT)),
    "remote-still": (Elsewhere, Fault("a remote agent stands still in mid-stream", hold_it, 10, TEXTS, AGENT)),
}
