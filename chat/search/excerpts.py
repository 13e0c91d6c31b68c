"""The part of a message that shows why it was found."""

from __future__ import annotations

import re

from django.utils.html import escape
from django.utils.safestring import SafeString

from chat.search.words import Query

BEFORE_CHARS = 60
EXCERPT_CHARS = 220
MARKDOWN = re.compile(r"[*`#>|~]+|\]\([^)\s]*\)|!?\[")
BETWEEN_WORDS = r"[\W_]+"


def excerpt(text: str, query: Query) -> SafeString:
    """HTML: what was looked for is in `<mark>`."""
    plain = " ".join(MARKDOWN.sub(" ", text).split())
    found = _pattern(query)
    first = found.search(plain)
    begin = _word_start(plain, first.start() - BEFORE_CHARS) if first else 0
    shown = plain[begin : begin + EXCERPT_CHARS]
    marked = _marked(shown, found)
    return SafeString(f"{'…' if begin else ''}{marked}{'…' if begin + EXCERPT_CHARS < len(plain) else ''}")


def _marked(text: str, found: re.Pattern[str]) -> str:
    pieces, end = [], 0
    for match in found.finditer(text):
        pieces += [escape(text[end : match.start()]), f"<mark>{escape(match[0])}</mark>"]
        end = match.end()
    return "".join([*pieces, escape(text[end:])])


def _pattern(query: Query) -> re.Pattern[str]:
    """A longer phrase first: it would not be found behind a word of its own."""
    patterns = [BETWEEN_WORDS.join(map(re.escape, phrase.split())) for phrase in query.phrases]
    ends = [r"(?![^\W_])"] * len(patterns)
    if query.unfinished:
        ends[-1] = r"[^\W_]*"
    both = sorted((pattern + end for pattern, end in zip(patterns, ends, strict=True)), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(both)})", re.IGNORECASE)


def _word_start(text: str, at: int) -> int:
    return text.find(" ", at) + 1 if at > 0 else 0
