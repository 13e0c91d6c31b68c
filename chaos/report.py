"""One row for each fault, and what is promised of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.tables import show

GROWTH = 1.3
GROWTH_BYTES = 40 * 1024 * 1024
RECOVERY_SECONDS = 15.0  # until a task whose runner died runs elsewhere
NEVER = ("doubled", "asked twice", "unanswered", "gaps", "unfinished", "leases", "left open", "wrong")
HEAD = (
    "fault",
    "load",
    "acknowledged",
    "present",
    "doubled",
    "lost",
    "runs elsewhere after (≤ 15 s)",
    "all have their answer after",
    "memory",
    "",
)


@dataclass
class Row:
    fault: str
    load: str
    acknowledged: int
    found: dict[str, int]
    seconds: float | None = None  # from the fault until everybody who waited then has the answer
    taken_over: float | None = None  # seconds from the death of a runner until all its tasks run elsewhere
    memory: tuple[int, int] | None = None  # bytes of a process: before, after
    broken: list[str] = field(default_factory=list)  # promises

    def judge(self) -> Row:
        if self.lost:
            self.broken.append(f"{self.lost} lost")
        self.broken += [f"{self.found[name]} {name}" for name in NEVER if self.found.get(name)]
        if self.taken_over is not None and self.taken_over > RECOVERY_SECONDS:
            self.broken.append(f"tasks had no runner for {self.taken_over:.1f} s")
        if self.memory and self.memory[1] > self.memory[0] * GROWTH + GROWTH_BYTES:
            self.broken.append("memory has grown")
        return self

    @property
    def lost(self) -> int:
        return self.acknowledged - self.found.get("present", 0)

    def cells(self) -> list[str]:
        before, after = self.memory or (0, 0)
        return [
            self.fault,
            self.load,
            f"{self.acknowledged:,}",
            f"{self.found.get('present', 0):,}",
            str(self.found.get("doubled", 0)),
            str(self.lost),
            _seconds(self.taken_over),
            _seconds(self.seconds),
            f"{before / 2**20:.0f} → {after / 2**20:.0f} MB" if self.memory else "",
            "kept" if not self.broken else f"BROKEN: {', '.join(self.broken)}",
        ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def print_rows(rows: list[Row]) -> None:
    show("What was promised, and what was kept", HEAD, [row.cells() for row in rows])
