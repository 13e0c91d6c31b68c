"""What a test finds: a level, a sentence, and what went over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MAX_CERTIFICATE_CHARS = 200_000
CUT_TO = 1_500  # characters of each side of an exchange, when all together are too long


class Level(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response as text, secrets masked."""

    request: str
    response: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one probe says."""

    level: Level
    text: str
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    id: str
    title: str
    level: Level
    text: str
    exchange: Exchange | None = None


def green(text: str, exchange: Exchange | None = None) -> Verdict:
    return Verdict(Level.GREEN, text, exchange)


def amber(text: str, exchange: Exchange | None = None) -> Verdict:
    """It works, but not as well as it should; or it could not be tested."""
    return Verdict(Level.AMBER, text, exchange)


def red(text: str, exchange: Exchange | None = None) -> Verdict:
    return Verdict(Level.RED, text, exchange)


def not_tested() -> Verdict:
    return amber("Not tested: this agent left no task to test it with.")


def counts(findings: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many of each level, all levels named."""
    found = Counter(finding["level"] for finding in findings)
    return {level.value: found[level] for level in Level}


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """To be kept: no longer than a row should be."""
    kept = [asdict(finding) for finding in findings]
    exchanges = [finding["exchange"] for finding in kept if finding["exchange"]]
    if sum(len(exchange["request"]) + len(exchange["response"]) for exchange in exchanges) > MAX_CERTIFICATE_CHARS:
        for exchange in exchanges:
            for side, text in exchange.items():
                exchange[side] = cut(text, CUT_TO)
    return kept


def cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}\n… cut here: {len(text):,} characters in all"
