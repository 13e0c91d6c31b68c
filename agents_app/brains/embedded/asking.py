"""When to ask another agent: somebody says so, or its skills fit."""

from __future__ import annotations

import re

from agents_app.brains.embedded.heard import ASK_AGENT, Heard, Intent, ask
from agents_app.brains.neighbours import Neighbour

ASKS = re.compile(r"\b(ask|tell|check with|consult|find out from|talk to|speak (to|with)|let)\b", re.IGNORECASE)
SAYS = r"(?:think|say|know|suggest|recommend|make of|want)"
COMMON = frozenset(
    re.findall(r"\w+", "a an the is are do does i you me my we what how can please to of in on for and or it this that")
)


def other_by_name(heard: Heard) -> Intent | None:
    if not heard.has(ASK_AGENT):
        return None
    for other in heard.others:
        for name in _called(other):
            if question := _question_for(name, heard.text):
                return ask(other, question)
    return None


def _called(other: Neighbour) -> list[str]:
    """What people call it: the id, the name, and the first name."""
    return list(dict.fromkeys([other.name, other.id, other.name.split()[0]]))


def _question_for(name: str, text: str) -> str:
    """What somebody wants to know from `name`. A name that is only mentioned asks nothing of its bearer."""
    called = rf"@?\b{re.escape(name)}\b"
    asked = re.search(
        rf"{ASKS.pattern}\s+(?:with\s+|to\s+)?{called}[,:]?\s*(?P<rest>.*)", text, re.IGNORECASE | re.DOTALL
    )
    if asked:
        return _as_question(asked["rest"]) or text
    if re.search(rf"\b(?:what|how|does|would|did|do|can)\b.*{called}.*\b{SAYS}\b", text, re.IGNORECASE):
        return re.sub(
            called, "you", re.sub(rf"\bdoes\s+{called}", "do you", text, flags=re.IGNORECASE), flags=re.IGNORECASE
        )
    return ""


def _as_question(rest: str) -> str:
    """ "for the weather in Oslo" and "what to wear" as sentences of their own."""
    rest = re.sub(r"^(please|if|whether|to tell (me|us)|to)\s+", "", rest.strip(), flags=re.IGNORECASE)
    rest = re.sub(r"^(for|about)\s+", "What about ", rest, flags=re.IGNORECASE)
    return rest[:1].upper() + rest[1:]


def other_by_skill(heard: Heard) -> Intent | None:
    if not heard.has(ASK_AGENT):
        return None
    words = _words(heard.text)
    scored = [(_fit(words, other), other) for other in heard.others]
    best = max(scored, key=lambda pair: pair[0], default=(0, None))
    return ask(best[1], heard.text) if best[1] and best[0] >= 1 else None


def _fit(words: set[str], other: Neighbour) -> float:
    """At least 1: a tag is named, or most of an example is said."""
    tags = {tag.lower() for skill in other.skills for tag in skill.tags}
    examples = [_words(example) for skill in other.skills for example in skill.examples]
    closest = max((len(words & example) / len(example) for example in examples if len(example) > 1), default=0)
    return len(words & tags) + (1 if closest >= 0.75 else 0)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower())) - COMMON
