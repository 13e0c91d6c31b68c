"""A2A calls per second, each beside the official SDKs' own servers with the same scripted agent in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import http_load
from bench.http_load import Load
from bench.lists import postgres
from bench.machine import Server, free_port, product, running
from bench.tables import milliseconds, percentile, show, verdict

CONNECTIONS = (1, 16, 64)
ROUNDS = 8  # short and many: a machine that is slower for some seconds is so for everybody in a round
SECONDS = 2.0
WARM_UP_SECONDS = 0.3
TASKS = 50_000
GROWTH_MIB = 16
CARDS_PER_SECOND = 3000
AGENT_PATH = "/a2a/scripted/"
OURS, OURS_PG, SDK, SDK_PG = "on SQLite", "on PostgreSQL", "SDK in memory", "SDK on PostgreSQL"
JAVASCRIPT, FASTA2A = "JavaScript SDK in memory", "fasta2a in memory"  # they keep nothing: for scale
# At so many connections, so many times the peer's calls per second.
SEND_TARGETS = {(OURS, SDK): {1: 2.0, 16: 3.0, 64: 3.0}, (OURS_PG, SDK_PG): {16: 8.0, 64: 8.0}}
STREAM_TARGETS = {(OURS, SDK): {1: 4.0, 16: 4.0, 64: 4.0}}


@dataclass
class Subject:
    name: str
    port: int
    path: str


Peer = Callable[[], AbstractContextManager[Subject]]


def send() -> None:
    """Without fasta2a, which always answers at once that the task was submitted."""
    _compare_calls("SendMessage, waiting for the task", "SendMessage", "hello", SEND_TARGETS)


def stream() -> None:
    _compare_calls("SendStreamingMessage with 20 chunks", "SendStreamingMessage", "chunks", STREAM_TARGETS, [_fasta2a])


def cards() -> None:
    with product(0, _OPEN) as server:
        _show_cards(server)


def memory() -> None:
    with product(0, _OPEN) as server:
        _show_memory(server)


def _compare_calls(
    title: str, method: str, text: str, targets: dict[tuple[str, str], dict[int, float]], more: Sequence[Peer] = ()
) -> None:
    with ExitStack() as stack:
        subjects = [*_subjects(stack), *(stack.enter_context(peer()) for peer in (*_javascript_peers(), *more))]
        figures = asyncio.run(_compare(subjects, method, text))
        _show(title, figures, targets)


def _subjects(stack: ExitStack) -> Iterator[Subject]:
    server = stack.enter_context(product(0, _OPEN))
    yield Subject(OURS, server.port, AGENT_PATH)
    yield Subject(SDK, stack.enter_context(_sdk("")), "/")
    url = stack.enter_context(postgres())
    if url:
        server = stack.enter_context(product(0, {**_OPEN, "DATABASE_URL": url}))
        yield Subject(OURS_PG, server.port, AGENT_PATH)
        theirs = stack.enter_context(postgres())
        name = theirs.removeprefix("postgres:///").partition("?")[0]
        yield Subject(SDK_PG, stack.enter_context(_sdk(f"postgresql+asyncpg:///{name}?host=/var/run/postgresql")), "/")
    else:
        print("PostgreSQL does not answer at its usual local socket, so only SQLite was measured.\n")


_OPEN = {"A2A_ANONYMOUS": "on", "A2A_RATE_PER_MINUTE": "1000000000"}


@contextmanager
def _sdk(url: str) -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-m", "bench.a2a_peer", str(port), url], dict(os.environ), port):
        yield port


def _javascript_peers() -> list[Peer]:
    if shutil.which("node"):
        return [_javascript]
    print("Node.js is not installed, so the JavaScript SDK was not measured.\n")
    return []


@contextmanager
def _javascript() -> Iterator[Subject]:
    port = free_port()
    with running(["node", "bench/a2a_peer.mjs", str(port)], dict(os.environ), port):
        yield Subject(JAVASCRIPT, port, "/")


@contextmanager
def _fasta2a() -> Iterator[Subject]:
    port = free_port()
    with running([sys.executable, "-m", "bench.a2a_peer_fasta2a", str(port)], dict(os.environ), port):
        yield Subject(FASTA2A, port, "/")


def _request(subject: Subject, method: str, text: str) -> bytes:
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": message}}
    return http_load.post(subject.path, json.dumps(body).encode(), A2A_Version="1.0")


async def _compare(subjects: list[Subject], method: str, text: str) -> dict[tuple[str, int], list[Load]]:
    """Whoever is compared is measured right after the other, again and again: the machine is never quite the same."""
    figures: dict[tuple[str, int], list[Load]] = {}
    for connections in CONNECTIONS:
        for number in range(ROUNDS):
            for subject in subjects:
                request = _request(subject, method, text)
                load = await http_load.hammer(
                    subject.port, request, connections, SECONDS, b"TASK_STATE_COMPLETED", warm_up=WARM_UP_SECONDS
                )
                figures.setdefault((subject.name, connections), []).append(load)
            said = ", ".join(f"{one.name} {figures[one.name, connections][-1].rate:,.0f}/s" for one in subjects)
            print(f"  {method}, {connections}, round {number + 1}: {said}", file=sys.stderr, flush=True)
    return figures


def _show(
    title: str, figures: dict[tuple[str, int], list[Load]], targets: dict[tuple[str, str], dict[int, float]]
) -> None:
    rows = []
    for key, loads in figures.items():
        name, connections = key
        row = [name, str(connections), f"{median(load.rate for load in loads):,.0f}", milliseconds(_p99(loads))]
        rows.append([*row, str(sum(load.wrong for load in loads)), *_judged(key, figures, targets)])
    show(title, ("server", "connections", "a second", "p99", "wrong", "ratio", "target", ""), rows)


def _judged(key: tuple[str, int], figures: Any, targets: Any) -> list[str]:
    """The ratio to the peer, where there is one: the median of those of each round."""
    name, connections = key
    for (ours, peer), wanted in targets.items():
        theirs = figures.get((peer, connections))
        if name == ours and theirs:
            mine = figures[key]
            ratio = median(load.rate / other.rate for load, other in zip(mine, theirs, strict=True) if other.rate)
            if connections not in wanted:
                return [f"{ratio:.1f} × {peer}", "", ""]
            target = f"≥ {wanted[connections]:g} ×, lower p99"
            reached = verdict(ratio >= wanted[connections], _p99(mine) < _p99(theirs))
            return [f"{ratio:.2f} × {peer}", target, reached]
    return ["", "", ""]


def _p99(loads: list[Load]) -> float:
    return percentile(sorted(wait for load in loads for wait in load.waits), 99)


def _show_cards(server: Server) -> None:
    async def measure() -> float:
        request = http_load.get("/.well-known/agent-card.json")
        loads = [
            await http_load.hammer(server.port, request, 16, SECONDS, b"supportedInterfaces") for _ in range(ROUNDS)
        ]
        return median(load.rate for load in loads)

    rate = asyncio.run(measure())
    row = [f"{rate:,.0f}", f"≥ {CARDS_PER_SECOND:,}", verdict(rate >= CARDS_PER_SECOND)]
    show("Cards, 16 connections", ("a second", "target", ""), [row])


def _show_memory(server: Server) -> None:
    """Resident memory after a fifth of the tasks and after all of them."""
    request = _request(Subject(OURS, server.port, AGENT_PATH), "SendMessage", "hello")

    async def run(tasks: int) -> None:
        done = 0
        while done < tasks:
            done += (await http_load.hammer(server.port, request, 16, SECONDS, b"TASK_STATE_COMPLETED")).calls

    asyncio.run(run(TASKS // 5))
    before = server.memory()
    asyncio.run(run(TASKS * 4 // 5))
    growth = (server.memory() - before) / 2**20
    row = [
        f"{TASKS:,}",
        f"{before / 2**20:.0f} MiB",
        f"{growth:+.1f} MiB",
        f"≤ {GROWTH_MIB} MiB",
        verdict(growth <= GROWTH_MIB),
    ]
    show("Memory", ("tasks", "after a fifth", "since then", "target", ""), [row])
