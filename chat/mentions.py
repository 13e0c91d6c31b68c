"""How "@chloe" is understood."""

from __future__ import annotations

import re
from collections.abc import Iterable

ALL = "all"
# Code and quotes name agents without calling them.
_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}\2[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_QUOTE = re.compile(r"^ {0,3}>.*$", re.MULTILINE)
# Not inside a word or an address ("ada@chloe.example"), and a dot ends it ("Ask @chloe.").
MENTION = re.compile(r"(?<![\w@./+-])@([\w-]+)", re.UNICODE)


def find_mentions(text: str, agents: Iterable[tuple[str, str]], everybody: Iterable[str] = ()) -> list[str]:
    """Ids of the agents that a text calls, in order. `agents`: pairs of id and name, callable by either; `everybody`:
    the ids that "@all" means."""
    by_word: dict[str, str] = {}
    for agent_id, name in agents:
        for word in words_for(agent_id, name):
            by_word.setdefault(word, agent_id)
    found: list[str] = []
    for word in MENTION.findall(_without_code_and_quotes(text)):
        called = list(everybody) if word.lower() == ALL else [by_word.get(word.lower(), "")]
        found += [agent_id for agent_id in called if agent_id and agent_id not in found]
    return found


def words_for(agent_id: str, name: str) -> list[str]:
    """What may follow the "@", in lower case."""
    words = name.lower().split()
    return [agent_id.lower(), *(between.join(words) for between in ("", "-", "_")), *words[:1]]


def _without_code_and_quotes(text: str) -> str:
    for pattern in (_FENCE, _CODE, _QUOTE):
        text = pattern.sub(" ", text)
    return text
