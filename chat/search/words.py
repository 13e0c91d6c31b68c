"""What somebody looks for: words, and phrases in quotes."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

QUERY_MAX_CHARS = 200
PHRASES = 12  # what is written behind them only makes the question slower
PHRASE = re.compile(r'"([^"]*)"|(\S+)')
# Both databases would read meaning into these: operators, and hosts or paths as one word.
PLAIN = str.maketrans(dict.fromkeys(string.punctuation, " ") | {"\x00": " "})


@dataclass(frozen=True, slots=True)
class Query:
    """Every phrase must be there; of the last one its last word may be `unfinished`."""

    phrases: tuple[str, ...]
    unfinished: bool


def read_query(text: str) -> Query:
    found: list[str] = []
    unfinished = False
    for quoted, bare in PHRASE.findall(text[:QUERY_MAX_CHARS]):
        if phrase := " ".join((quoted or bare).translate(PLAIN).split()):
            found.append(phrase)
            unfinished = not quoted
    return Query(tuple(found[:PHRASES]), unfinished and len(found) <= PHRASES)
