from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ops.actions.control import list_sockets
from ops.command import OperatorCommand, Report


class Command(OperatorCommand):
    help = "Show every open WebSocket: whose it is, where from, since when, and what went through it."
    examples = ("", "--json")

    def work(self) -> Report:
        return asdict(list_sockets())

    def is_well(self, report: Report) -> bool:
        return not report["silent"]

    def lines(self, report: Report) -> list[str]:
        silent = [f"{name} did not answer." for name in report["silent"]]
        return [f"{report['count']} open", *map(_line, report["sockets"]), *silent]


def _line(shown: dict[str, Any]) -> str:
    since, heard = (datetime.fromtimestamp(shown[name], UTC) for name in ("since", "heard_at"))
    return (
        f"  {shown['id']}  {shown['name']:<20} {shown['address']:<15} {shown['browser']:<20} since {since:%m-%d %H:%M}"
        f"  heard {heard:%H:%M:%S}  {shown['frames_in']} in, {shown['frames_out']} out, {shown['waiting']} waiting"
        f"  {shown['process']}"
    )
