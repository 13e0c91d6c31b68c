from __future__ import annotations

from typing import Any

from metrics.models import Process
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = "Show every running process: its memory, how late its event loop is, its database pool."
    examples = ("", "--json")

    def work(self) -> Report:
        return {"processes": [_shown(process) for process in Process.objects.alive()]}

    def lines(self, report: Report) -> list[str]:
        if not report["processes"]:
            return ["No process is running."]
        return [_line(process) for process in report["processes"]]


def _shown(process: Process) -> dict[str, Any]:
    names = ("name", "kind", "version", "memory_bytes", "loop_lag_seconds", "open_sockets", "running_tasks")
    pool = ("pool_size", "pool_max", "pool_in_use", "pool_waiting", "pool_timeouts")
    return {
        **{name: getattr(process, name) for name in (*names, *pool)},
        "started_at": process.started_at.isoformat(timespec="seconds"),
    }


def _line(shown: dict[str, Any]) -> str:
    pool = "no pool"
    if shown["pool_size"] is not None:
        pool = (
            f"pool {shown['pool_in_use']} of {shown['pool_size']} in use (at most {shown['pool_max']}), "
            f"{shown['pool_waiting']} waiting, {shown['pool_timeouts']} waited in vain"
        )
    return (
        f"{shown['name']:<40} {shown['memory_bytes'] / 2**20:>6,.0f} MiB  loop {shown['loop_lag_seconds'] * 1000:>5,.0f} ms"
        f"  {shown['open_sockets']:>5} sockets  {shown['running_tasks']:>4} tasks  {pool}"
    )
