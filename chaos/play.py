"""One fault: played under load, and judged."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chaos.callers import Callers
from chaos.load import Load
from chaos.report import Row
from chaos.stage import Stage

WARM_SECONDS = 3.0
WARM_SECONDS_AT_MOST = 30.0
AFTER_SECONDS = 3.0
LAST_ANSWER_SECONDS = 60.0
SLOWEST = 3  # people whose diaries are shown when a promise was broken, or it took long
SLOW_SECONDS = 8.0


@dataclass
class Fault:
    name: str
    play: Callable[[Stage, Load], Awaitable[None]]
    people: int = 20
    texts: Sequence[str] = ("1.0 0.3",)
    agent: str = "steady"
    after: float = AFTER_SECONDS
    callers: int = 0  # over A2A, besides

    @property
    def load(self) -> str:
        return f"{self.people} people" + (f", {self.callers} callers" if self.callers else "")


async def play(stage: Stage, fault: Fault) -> Row:
    """Begin a load, let the fault happen, wait until everybody has the answer, and look at what is there."""
    load, callers = await _begin(stage, fault)
    await load.warm(WARM_SECONDS, WARM_SECONDS_AT_MOST)
    before = stage.product.memory()
    moment = time.monotonic()
    await fault.play(stage, load)
    await asyncio.sleep(fault.after)
    waited, broken = await asyncio.gather(load.stop(LAST_ANSWER_SECONDS), callers.stop(LAST_ANSWER_SECONDS))
    row = await _look(stage, fault, load, before)
    row.seconds = load.recovered_after(moment)
    row.judge()
    row.broken += broken
    if waited:
        row.broken.append(f"{waited} people without an answer")
    if not_shown := load.not_shown():
        row.broken.append(f"{not_shown} messages not shown once")
    _tell(row, load, moment, callers if fault.callers else None)
    return row


async def _begin(stage: Stage, fault: Fault) -> tuple[Load, Callers]:
    people = await asyncio.to_thread(stage.product.seed, fault.people, fault.agent)
    ports = [web.port for web in stage.product.webs]
    load, callers = Load(ports, people, fault.texts), Callers(ports, fault.callers, fault.texts[0])
    load.start()
    callers.start()
    return load, callers


async def _look(stage: Stage, fault: Fault, load: Load, before: dict[str, int]) -> Row:
    found = await asyncio.to_thread(stage.product.check, load.acknowledged)
    after = stage.product.memory()
    grown = max(before, key=lambda name: after[name] - before[name])
    row = Row(fault.name, fault.load, len(load.acknowledged), found)
    row.memory = before[grown], after[grown]
    row.taken_over = max(stage.taken_over, default=None)
    stage.taken_over.clear()
    await stage.look(row)
    return row


def _tell(row: Row, load: Load, moment: float, callers: Callers | None) -> None:
    """While the others are still to come: the row, and what it is made of."""
    if row.broken or (row.seconds or 0.0) > SLOW_SECONDS:
        print("\n".join(load.diaries_of_slowest(moment, SLOWEST)), file=sys.stderr)
    counted = f"{states(load)} {row.found} {refusals(load)}" + (f" {callers}" if callers else "")
    print(f"  {' | '.join(row.cells())}  {counted}", file=sys.stderr, flush=True)


def states(load: Load) -> dict[str, int]:
    said = [state for person in load.people for state in person.states]
    return {state: said.count(state) for state in sorted(set(said))}


def refusals(load: Load) -> dict[str, int]:
    said = [error for person in load.people for error in person.refused]
    return {error: said.count(error) for error in sorted(set(said))}
