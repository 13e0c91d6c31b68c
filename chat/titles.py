"""A conversation that nobody named is called after its first words."""

from __future__ import annotations

import re

LONGEST = 60  # characters


def title_from(text: str) -> str:
    """The first line without mentions and Markdown, cut at a word."""
    words = re.sub(r"(?<!\w)@[\w-]+[,:]?\s*|[*_`#>]+", "", text).strip()
    line = words.splitlines()[0].strip() if words else ""
    line = line[:1].upper() + line[1:]
    if len(line) <= LONGEST:
        return line
    return line[: LONGEST + 1].rsplit(" ", 1)[0][:LONGEST].rstrip(" ,;:.-") + "…"
