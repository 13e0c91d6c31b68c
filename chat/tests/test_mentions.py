from __future__ import annotations

import pytest

from chat.mentions import find_mentions
from chat.titles import title_from

AGENTS = [("chloe", "Chloe"), ("phil", "Phil Connors")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@chloe hello", ["chloe"]),
        ("hello @Chloe!", ["chloe"]),
        ("ask @phil, and @chloe.", ["phil", "chloe"]),
        ("@Phil-Connors and @philconnors", ["phil"]),
        ("@phil_connors hello", ["phil"]),
        ("@all good morning", ["chloe", "phil"]),
        ("@chloe @chloe", ["chloe"]),
        ("(@phil)", ["phil"]),
        ("nobody here", []),
        ("ada@chloe.example", []),
        ("https://example.org/@phil", []),
        ("@chloette", []),
        ("`@chloe` in code", []),
        ("```\n@chloe\n```\n@phil", ["phil"]),
        ("~~~\n@chloe", []),
        ("> @chloe said so\n\nreally?", []),
    ],
)
def test_it_works(text, found):
    assert find_mentions(text, AGENTS, everybody=["chloe", "phil"]) == found


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("@chloe what should I wear in Oslo today?", "What should I wear in Oslo today?"),
        ("# A heading\nand more", "A heading"),
        ("", ""),
        ("@chloe", ""),
        ("word " * 40, "Word word word word word word word word word word word word…"),
    ],
)
def test_a_conversation_is_called_after_its_first_words(text, title):
    assert title_from(text) == title
