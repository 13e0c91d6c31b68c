"""`make bench`, or a part of it: `make bench ONLY=streaming,lists`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from bench import a2a, backup, cluster, first_piece, idle, lists, metrics, pruning, streaming
from bench.machine import become_client

PARTS = {
    "streaming": streaming.main,
    "first-piece": first_piece.main,
    "idle": idle.main,
    "lists": lists.main,
    "a2a-send": a2a.send,
    "a2a-stream": a2a.stream,
    "a2a-cards": a2a.cards,
    "a2a-memory": a2a.memory,
    "cluster": cluster.main,
    "metrics": metrics.main,
    "pruning": pruning.main,
    "backup": backup.main,
}
HALVES: dict[str, Callable[[], None]] = {  # of parts that take long
    **{f"cluster-{size}": partial(cluster.of_sizes, [size]) for size in cluster.SIZES},
    "pruning-sqlite": pruning.on_sqlite,
    "pruning-postgresql": pruning.on_postgresql,
    "backup-sqlite": backup.on_sqlite,
    "backup-postgresql": backup.on_postgresql,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"parts, with commas between them: {', '.join(PARTS)}")
    wanted = [name for name in parser.parse_args().only.split(",") if name] or list(PARTS)
    if unknown := [name for name in wanted if name not in PARTS | HALVES]:
        parser.error(f'there is no part "{unknown[0]}"; choose from {", ".join(PARTS | HALVES)}')
    become_client()
    for name in wanted:
        (PARTS | HALVES)[name]()


if __name__ == "__main__":
    main()
