"""What somebody wants, among the things the agent's own tools can do. Pure: text in, intent out.

In this order: small talk · asking another agent by name · a web address · weather and clothes · the time · arithmetic ·
a follow-up to one of these · a tool of the agent's own · what another agent is good at. What is left is for words alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agents_app.base import Tool
from agents_app.brains.embedded import own_tools
from agents_app.brains.embedded.places import find_day, find_place
from agents_app.brains.embedded.smalltalk import find_small_talk
from agents_app.brains.neighbours import Neighbour
from agents_app.tools.arithmetic import BadArithmetic, evaluate
from agents_app.tools.arithmetic_words import as_notation


@dataclass(frozen=True, slots=True)
class Call:
    """Use a tool. `topic` is what the answer is about where the tool alone does not say: "clothes"."""

    tool: str
    arguments: Mapping[str, Any]
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """Answer from a template of the agent's voice."""

    topic: str
    facts: Mapping[str, str] = field(default_factory=dict)


Intent = Call | Talk


@dataclass(frozen=True)
class Heard:
    """`earlier`: what people said before, newest first."""

    text: str
    names: tuple[str, ...]  # the agent's own id and name
    tools: Sequence[Tool] = ()
    others: Sequence[Neighbour] = ()
    earlier: Sequence[str] = ()

    def has(self, tool: str) -> bool:
        return any(own.name == tool for own in self.tools)


URL = re.compile(r"https?://[^\s<>\"')\]]+|(?<![@\w.])(?:www\.)[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"')\]]*)?", re.IGNORECASE)
BARE_HOST = re.compile(
    r"(?<![@\w.])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|de|uk|eu|edu|gov|info)(?:/[^\s<>\"')\]]*)?\b"
)
READS = re.compile(
    r"\b(read|open|summari[sz]e|summary|look at|check|visit|fetch|page|site|website|what does)\b", re.IGNORECASE
)

CLOTHES = re.compile(
    r"\b(wear|wearing|dress|put on|clothes|clothing|outfit|jacket|coat|sweater|jumper|pullover|shorts|t-shirt|gloves|boots"
    r"|scarf|pack)\b",
    re.IGNORECASE,
)
WEATHER = re.compile(
    r"\b(weather|forecast|umbrella|rain(s|y|ing)?|snow(s|y|ing)?|sunny|sunshine|cloudy|windy|storm(y)?|foggy"
    r"|thunderstorms?)\b",
    re.IGNORECASE,
)
MAYBE_WEATHER = re.compile(
    r"\b(cold|warm|hot|chilly|freezing|mild|temperature|degrees|humid|wind|fog)\b", re.IGNORECASE
)
# About weather as such, not about a place's.
IN_GENERAL = re.compile(
    r"^\W*(why|explain|define|how (do|does|did|is|are) .*\b(form|work|made|measured)|what (is|are|causes) (a |an |the )?"
    r"(rain|snow|wind|weather|storm|fog|thunder)\w*\W*$)|under the weather",
    re.IGNORECASE,
)
ADVICE = re.compile(r"\b(should|shall|do i need|can i)\b", re.IGNORECASE)
OUTSIDE = re.compile(r"\boutside\b", re.IGNORECASE)
UMBRELLA = re.compile(r"\bumbrella\b", re.IGNORECASE)
TIME = re.compile(
    r"\bwhat('s| is)?( the)?( current| local)? time\b|\bwhat time is it\b|\b(current|local) time\b|\btime is it\b|\btime (now|in)\b"
    r"|\bwhat('s| is)? (the )?(date|day)\b|\b(today's|current) date\b|\bwhich day\b|\bwhat (date|day|year|month) is it\b"
    r"|\bhow late is it\b",
    re.IGNORECASE,
)
ASKS = re.compile(r"\b(ask|tell|check with|consult|find out from|talk to|speak (to|with)|let)\b", re.IGNORECASE)
SAYS = r"(?:think|say|know|suggest|recommend|make of|want)"
FOLLOW_UP = re.compile(r"^\W*(and|but|or|ok|okay|so|what about|how about|then)\b[\s,]*", re.IGNORECASE)
OPERATION = re.compile(
    r"[-+*/×x÷^%!√]|\*\*|\b(sqrt|log|sin|cos|tan|max|min|sum|percent|times|plus|minus|over|by|of|squared)\b",
    re.IGNORECASE,
)
CALCULATES = re.compile(
    r"\b(what('s|’s| is| are)|how much( is| are)?|calculate|compute|solve|work out|evaluate)\b", re.IGNORECASE
)
POLITE = re.compile(r"^\W*please\b|[,\s]*\bplease\b|[=?\s]+$", re.IGNORECASE)
EXPRESSION = re.compile(r"[(\d√][\d\s.,+\-*/x×÷^%!()²³]*[\d)%!²³]")

COMMON = frozenset(
    (
        "a",
        "an",
        "the",
        "is",
        "are",
        "do",
        "does",
        "i",
        "you",
        "me",
        "my",
        "we",
        "what",
        "how",
        "can",
        "please",
        "to",
        "of",
    )
    + ("in", "on", "for", "and", "or", "it", "this", "that")
)


def find_intent(heard: Heard) -> Intent | None:
    heard = replace(heard, text=without_names(heard.text, heard.names))
    if topic := find_small_talk(heard.text, heard.names):
        return Talk(topic)
    return (
        _other_by_name(heard)
        or _web_page(heard)
        or _about_weather(heard, heard.text)
        or _about_time(heard, heard.text)
        or _arithmetic(heard)
        or _follow_up(heard)
        or _own_tool(heard)
        or _other_by_skill(heard)
    )


def without_names(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = re.sub(rf"@{re.escape(name)}\b[,:]?\s*|^\W*{re.escape(name)}[,:]\s*", "", text, flags=re.IGNORECASE)
    return text.strip()


# -- another agent


def _other_by_name(heard: Heard) -> Intent | None:
    if not heard.has("ask_agent"):
        return None
    for other in heard.others:
        for name in _called(other):
            if question := _question_for(name, heard.text):
                return _ask(other, question)
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


def _ask(other: Neighbour, question: str, topic: str = "") -> Call:
    return Call("ask_agent", {"agent": other.id, "message": question}, topic)


def _other_by_skill(heard: Heard) -> Intent | None:
    if not heard.has("ask_agent"):
        return None
    words = _words(heard.text)
    scored = [(_fit(words, other), other) for other in heard.others]
    best = max(scored, key=lambda pair: pair[0], default=(0, None))
    return _ask(best[1], heard.text) if best[1] and best[0] >= 1 else None


def _fit(words: set[str], other: Neighbour) -> float:
    """At least 1: a tag is named, or most of an example is said."""
    tags = {tag.lower() for skill in other.skills for tag in skill.tags}
    examples = [_words(example) for skill in other.skills for example in skill.examples]
    closest = max((len(words & example) / len(example) for example in examples if len(example) > 1), default=0)
    return len(words & tags) + (1 if closest >= 0.75 else 0)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower())) - COMMON


# -- the product's tools


def _web_page(heard: Heard) -> Intent | None:
    found = URL.search(heard.text) or (BARE_HOST.search(heard.text) if READS.search(heard.text) else None)
    if not found:
        return None
    url = found[0].rstrip(".,;:!?")
    if heard.has("web_page"):
        return Call("web_page", {"url": url})
    other = _who_knows(heard, "web")
    return _ask(other, f"What does {url} say?") if other else None


def _about_weather(heard: Heard, text: str, place: str = "", day: str = "") -> Intent | None:
    clothes, weather = CLOTHES.search(text), WEATHER.search(text)
    place = place or find_place(text)
    if IN_GENERAL.search(text) or not (
        weather or ((clothes or MAYBE_WEATHER.search(text)) and (place or _asks_advice(text)))
    ):
        return None
    other = None if heard.has("weather") else _who_knows(heard, "weather")
    if not heard.has("weather") and not other:
        return None
    place = place or _earlier_place(heard)
    if not place:
        return Talk("which_place")
    day = day or find_day(text)
    topic = "clothes" if clothes or UMBRELLA.search(text) else ""
    if other:
        return _ask(other, f"What is the weather in {place} {_on(day or 'today')}?", topic or "weather")
    return Call("weather", {"place": place} | ({"day": day.lower()} if day else {}), topic)


def _asks_advice(text: str) -> bool:
    """ "What should I wear?" asks for today's weather although it names no place; "cold fusion" does not."""
    return bool(OUTSIDE.search(text) or (CLOTHES.search(text) and ADVICE.search(text)))


def _on(day: str) -> str:
    return day if day.islower() else f"on {day}"


def _earlier_place(heard: Heard) -> str:
    return next((place for text in heard.earlier[:5] if _is_topical(text) and (place := find_place(text))), "")


def _is_topical(text: str) -> bool:
    return any(pattern.search(text) for pattern in (WEATHER, CLOTHES, MAYBE_WEATHER, TIME))


def _about_time(heard: Heard, text: str, place: str = "") -> Intent | None:
    if not TIME.search(text) or not heard.has("current_time"):
        return None
    place = place or find_place(text)
    return Call("current_time", {"place": place} if place else {})


def _arithmetic(heard: Heard) -> Intent | None:
    if not heard.has("calculate"):
        return None
    expression = _expression(heard.text)
    return Call("calculate", {"expression": expression}) if expression else None


def _expression(text: str) -> str:
    """The arithmetic in a sentence: the whole of it, or the part in digits where it is a sum one asks for."""
    plain = POLITE.sub("", text).strip()
    begins = CALCULATES.match(plain)
    candidates = [plain[begins.end() :] if begins else plain]
    if CALCULATES.search(text) or text.rstrip(" ?").endswith("="):
        candidates += sorted(EXPRESSION.findall(text), key=len, reverse=True)
    return next((candidate.strip() for candidate in candidates if _is_arithmetic(candidate)), "")


def _is_arithmetic(text: str) -> bool:
    if not re.search(r"\d", text) or not OPERATION.search(text.strip().lstrip("-+")):
        return False
    try:
        evaluate(as_notation(text))
    except BadArithmetic as error:
        return "zero" in str(error)  # 1 / 0 is arithmetic, and the tool says what is wrong with it
    return True


def _who_knows(heard: Heard, topic: str) -> Neighbour | None:
    if not heard.has("ask_agent"):
        return None
    return next((other for other in heard.others if any(topic in skill.tags for skill in other.skills)), None)


# -- what goes on from before


def _follow_up(heard: Heard) -> Intent | None:
    """ "And in Paris?", "tomorrow?" after a question about weather or time."""
    begins = FOLLOW_UP.match(heard.text)
    rest = heard.text[begins.end() :] if begins else heard.text
    if len(rest.split()) > 6 or not heard.earlier:
        return None
    day = find_day(rest)
    place = find_place(f"there {rest}") or (_bare_place(rest) if begins or not day else "")
    topic = next((text for text in heard.earlier[:5] if _is_topical(text)), "")
    if not topic or not (place or day) or not (begins or len(rest.split()) <= 4):
        return None
    if TIME.search(topic):
        return _about_time(heard, topic, place)
    return _about_weather(heard, topic, place or find_place(topic), day)


def _bare_place(rest: str) -> str:
    """ "Paris?" stands alone; a lower case word may be anything."""
    return find_place(f"weather {rest}") if rest.strip()[:1].isupper() else ""


def _own_tool(heard: Heard) -> Intent | None:
    found = own_tools.find_call(heard.text, heard.tools)
    return Call(*found) if found else None
