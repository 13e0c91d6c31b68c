"""What counting costs: the same A2A calls with METRICS on and off, in turn, in many short pieces."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from bench import http_load
from bench.machine import Server, product
from bench.tables import show, verdict

CONNECTIONS = 16
PIECES = 60
SECONDS = 1.0
WARM_UP_SECONDS = 0.2
MOST_COST = 0.02
OPEN = {"A2A_ANONYMOUS": "on", "A2A_RATE_PER_MINUTE": "1000000000", "A2A_WIRE_LOG": "off"}


@dataclass
class Measured:
    rates: list[float] = field(default_factory=list)  # calls a second
    costs: list[float] = field(default_factory=list)  # the server's processor seconds for each call


def main() -> None:
    with ExitStack() as stack:
        servers = {word: stack.enter_context(product(0, OPEN | {"METRICS": word})) for word in ("on", "off")}
        measured = asyncio.run(_compare(servers))
    on, off = measured["on"], measured["off"]
    cost = median(1 - without / with_ for with_, without in zip(on.costs, off.costs, strict=True))
    slower = median(1 - with_ / without for with_, without in zip(on.rates, off.rates, strict=True))
    row = [f"{median(off.rates):,.0f}", f"{median(on.rates):,.0f}", f"{slower:+.1%}"]
    row += [f"{median(off.costs) * 1e6:,.0f} µs", f"{median(on.costs) * 1e6:,.0f} µs", f"{cost:+.1%}"]
    head = ("off, a second", "on, a second", "fewer", "off, processor", "on, processor", "cost", "target", "")
    show("What metrics cost", head, [[*row, f"≤ {MOST_COST:.0%}", verdict(cost <= MOST_COST)]])


async def _compare(servers: dict[str, Server]) -> dict[str, Measured]:
    """In turn, again and again, and each first as often as the other: the machine is never quite the same."""
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    request = http_load.post("/a2a/scripted/", json.dumps(body).encode(), A2A_Version="1.0")
    measured = {word: Measured() for word in servers}
    for number in range(PIECES):
        for word in sorted(servers, reverse=bool(number % 2)):
            server = servers[word]
            spent = server.processor_seconds()
            load = await http_load.hammer(
                server.port, request, CONNECTIONS, SECONDS, b"TASK_STATE_COMPLETED", warm_up=WARM_UP_SECONDS
            )
            measured[word].rates.append(load.rate)
            measured[word].costs.append((server.processor_seconds() - spent) / load.calls)
        if number % 10 == 9:
            rates = ", ".join(f"{word} {each.rates[-1]:,.0f}/s" for word, each in measured.items())
            print(f"  metrics {number + 1} of {PIECES}: {rates}", file=sys.stderr, flush=True)
    return measured
