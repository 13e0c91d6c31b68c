"""What counting costs: the same A2A calls with METRICS on and off, in turn; and how fast old samples go."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from statistics import median

from bench import http_load
from bench.machine import Server, data_dir, manage, product
from bench.tables import milliseconds, show, verdict

CONNECTIONS = 16
RUNS = 7
SECONDS = 3.0
MOST_COST = 0.02
SAMPLES = 1_000_000
LONGEST_PRUNE_SECONDS = 0.1
OPEN = {"A2A_ANONYMOUS": "on", "A2A_RATE_PER_MINUTE": "1000000000", "A2A_WIRE_LOG": "off"}


def main() -> None:
    with ExitStack() as stack:
        servers = {word: stack.enter_context(product(0, OPEN | {"METRICS": word})) for word in ("on", "off")}
        rates = asyncio.run(_compare(servers))
    cost = median(1 - on / off for on, off in zip(rates["on"], rates["off"], strict=True))
    row = [f"{median(rates['off']):,.0f}", f"{median(rates['on']):,.0f}", f"{cost:+.1%}", f"≤ {MOST_COST:.0%}"]
    show(
        "What metrics cost",
        ("off, a second", "on, a second", "cost", "target", ""),
        [[*row, verdict(cost <= MOST_COST)]],
    )
    _show_pruning()


async def _compare(servers: dict[str, Server]) -> dict[str, list[float]]:
    """In turn, again and again: the machine is never quite the same."""
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    request = http_load.post("/a2a/scripted/", json.dumps(body).encode(), A2A_Version="1.0")
    rates: dict[str, list[float]] = {word: [] for word in servers}
    for number in range(RUNS):
        for word, server in servers.items():
            load = await http_load.hammer(server.port, request, CONNECTIONS, SECONDS, b"TASK_STATE_COMPLETED")
            rates[word].append(load.rate)
            print(f"  metrics {word}, run {number + 1}: {load.rate:,.0f}/s", file=sys.stderr, flush=True)
    return rates


def _show_pruning() -> None:
    """On SQLite, where whoever removes keeps everybody from writing."""
    with data_dir() as environment:
        manage(environment, "prepare")
        manage(environment, "bench_samples", str(SAMPLES))
        outcome = json.loads(manage(environment, "prunemetrics", "--json"))
    longest = outcome["longest_seconds"]
    row = [f"{outcome['removed']:,}", f"{outcome['seconds']:.1f} s", milliseconds(longest)]
    target = f"≤ {milliseconds(LONGEST_PRUNE_SECONDS)}"
    show(
        "Old samples",
        ("removed", "in", "longest wait of a writer", "target", ""),
        [[*row, target, verdict(longest <= LONGEST_PRUNE_SECONDS)]],
    )
