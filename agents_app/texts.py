"""What a database can keep of a text."""

from __future__ import annotations

import re
from typing import Any, TypeVar

T = TypeVar("T")

UNSAVEABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of characters: PostgreSQL keeps neither
INSTEAD = "\ufffd"  # Unicode's sign for a character that got lost; as long as what it stands for


def saveable(value: T) -> T:
    """A text with that sign in the place of such characters; or all texts in lists, tuples and dicts."""
    found: Any = value
    if isinstance(value, str):
        plain = value.isascii() and "\x00" not in value  # as most are, and quickly seen
        found = value if plain else UNSAVEABLE.sub(INSTEAD, value)
    elif isinstance(value, dict):
        found = {saveable(name): saveable(item) for name, item in value.items()}
    elif isinstance(value, list | tuple):
        found = type(value)(map(saveable, value))
    return found
