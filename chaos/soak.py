"""Ten minutes of load in which faults come at random."""

from __future__ import annotations

import asyncio
import random
import sys
import time

from chaos.faults import FAULTS
from chaos.load import Load
from chaos.play import Fault, play
from chaos.report import Row
from chaos.stage import Stage

SOAK_SECONDS = 600.0
PAUSE_SECONDS = 8.0
PEOPLE = 20
LONG = ("redis-gone", "largest", "reconnects", "web-rolling")  # they have their own load


async def play_soak(stage: Stage, seconds: float) -> Row:
    choice = random.Random()
    names = [name for name in FAULTS if name not in LONG]

    async def faults(stage: Stage, load: Load) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = choice.choice(names)
            print(f"  soak: {FAULTS[name].name}", file=sys.stderr, flush=True)
            await FAULTS[name].play(stage, load)
            await asyncio.sleep(choice.uniform(1, PAUSE_SECONDS))

    return await play(stage, Fault(f"{seconds:.0f} s of random faults", faults, people=PEOPLE))
