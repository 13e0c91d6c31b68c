"""What a command says of an order that processes carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops.backups.refusals import Refused
from ops.command import Report
from ops.control.giving import NoSuchProcess, Outcome


def outcome_report(give: Callable[[], Outcome]) -> Report:
    """Raises `Refused`."""
    try:
        outcome = give()
    except NoSuchProcess as missing:
        raise Refused(str(missing)) from None
    return {"processes": outcome.answers, "silent": outcome.silent}


def outcome_lines(report: Report, say: Callable[[dict[str, Any]], str]) -> list[str]:
    if not report["processes"] and not report["silent"]:
        return ["No process is running."]
    told = [f"{name}: {say(answer)}" for name, answer in report["processes"].items()]
    return [*told, *(f"{name} is alive and did not answer." for name in report["silent"])]
