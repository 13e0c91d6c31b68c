"""What is streamed, and when: known to the server that says it and to the clients that check it.

All times are seconds of CLOCK_MONOTONIC, which every process of a machine shares.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from functools import cache

PIECES = 200
CHARS = 8
PER_SECOND = 50
PARAGRAPH = 25  # pieces: settled blocks belong to what streaming costs
HEADER = re.compile(r"bench (\d{10}\.\d{6}) (\d{10}\.\d{6})")
HEADER_CHARS = 42
PIECE = re.compile(r"\b0\d{5,6}\b")
LEAD_SECONDS = 0.05  # between the header and the first piece of the schedule
ASKED = re.compile(r"start at (\d+\.\d+), shift (\d+)")


@cache
def texts(shift: int) -> list[str]:
    """The pieces of an answer. Of another shift, paragraphs end elsewhere: answers are not all cut alike."""
    return [_piece(number, (number + shift) % PARAGRAPH == 0) for number in range(PIECES)]


@cache
def body(shift: int) -> str:
    return "".join(texts(shift))


def _piece(number: int, ends_paragraph: bool) -> str:
    return f"{number:06d}\n\n" if ends_paragraph else f"{number:07d} "


def request(start: float, shift: int) -> str:
    return f"start at {start:.6f}, shift {shift % PARAGRAPH}"


def header(said_at: float, start: float) -> str:
    return f"bench {said_at:017.6f} {start:017.6f}\n"


async def pieces(requested: str) -> AsyncIterator[str]:
    """First a header with the time it was said and the time the schedule begins, then each piece when it is due."""
    asked = ASKED.search(requested)
    begin, shift = (float(asked[1]), int(asked[2])) if asked else (0.0, 0)
    now = time.monotonic()
    start = max(begin, now + LEAD_SECONDS)
    yield header(now, start)
    for number, text in enumerate(texts(shift)):
        wait = start + number / PER_SECOND - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        yield text
