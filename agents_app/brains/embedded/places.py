"""Finds the place and the day that a sentence is about."""

from __future__ import annotations

import re

WEEKDAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
DAY = re.compile(
    rf"\b(?:(?P<plain>today|tonight|tomorrow|the day after tomorrow)|(?:on |this |next )?(?P<weekday>{WEEKDAYS})"
    rf"|(?P<date>\d{{4}}-\d\d-\d\d))\b",
    re.IGNORECASE,
)

# What ends a place, or is none although it follows "in".
NO_PLACE = frozenset(
    f"""
    a all am an and any anything are at be because been before but by can could day days did do does doing don't during
    evening few for forecast general get going good here hour hours how i if in into is it it's just later like local
    look me minute minutes month months morning my need next night noon now of on or order our out outside over
    particular please pm rain raining really right season short should so some soon spring summer autumn fall winter
    temperature than that the their them there these they this time to today tomorrow tonight too trouble under
    until up us usually want was we weather week weekend weeks were what when where which while who will wind
    with would year years yet you your thanks celsius fahrenheit degrees english german french spanish terms case fact
    {WEEKDAYS.replace("|", " ")} {MONTHS.replace("|", " ")}
    """.split()
)
INNER = frozenset(
    ("de", "la", "le", "del", "da", "do", "dos", "des", "di", "upon", "sur", "am", "an", "der", "the", "of", "y")
)

WORD = r"[^\W\d_][\w'’.-]*"
NEAR = re.compile(
    rf"\b(?:in|at|near|around|for|to|from|visit|visiting)\s+(?=(?P<rest>(?:the\s+)?{WORD}.*))", re.IGNORECASE
)
BESIDE_TOPIC = (
    re.compile(
        rf"(?P<rest>{WORD}(?:[ ]{WORD}){{0,3}}?)(?:['’]s)?\s+(?:weather|forecast|temperature|time)\b", re.IGNORECASE
    ),
    re.compile(rf"\b(?:weather|forecast|temperature|time)[:,]?\s+(?P<rest>{WORD}.*)", re.IGNORECASE),
)
ANY_CAPITALS = re.compile(r"(?<=\s)(?P<rest>[A-ZÀ-Þ][\w'’.-]+.*)")


def find_place(text: str) -> str:
    """ "Is it cold in New York today?" → "New York". Empty when there is none."""
    text = re.sub(r"\s+", " ", text).strip(" ?!.")
    for found in NEAR.finditer(text):
        preposition = found[0].split()[0].lower()
        # "in oslo" is a place; "to bed" is not, "to Oslo" is.
        if place := _read(found["rest"], capitals=preposition not in ("in", "for", "near", "around")):
            return place
    for pattern in BESIDE_TOPIC:
        found = pattern.search(text)
        if found and (place := _read(_from_last_stop(found["rest"], pattern), capitals=False)):
            return place
    capitals = ANY_CAPITALS.search(text)
    return _read(capitals["rest"], capitals=True) if capitals else ""


def find_day(text: str) -> str:
    """ "today", "tomorrow", "Monday", "2026-11-23" … Empty when no day is named."""
    found = DAY.search(text)
    if not found:
        return ""
    if found["weekday"]:
        return found["weekday"].capitalize()
    plain = (found["plain"] or "").lower()
    return found["date"] or ("today" if plain == "tonight" else plain)


def _read(rest: str, *, capitals: bool) -> str:
    """The words from the start that can be one place's name."""
    kept: list[str] = []
    for raw in rest.split(" "):
        word = raw.strip('?!.;:()"“”')
        bare = re.sub(r"['’]s$", "", word.rstrip(","))
        is_start = not kept or (len(kept) == 1 and kept[0].lower() == "the")
        if bare.lower() == "the" and not kept:
            kept.append("The")
            continue
        is_inner = bare.lower() in INNER and not is_start
        if not is_inner and (bare.lower() in NO_PLACE or not re.fullmatch(WORD, bare)):
            break
        if not is_inner and not bare[0].isupper() and (capitals or "The" in kept or (kept and kept[-1][0].isupper())):
            break
        kept.append(bare if not word.endswith(",") else bare + ",")
        if raw.endswith(("?", "!", ";", ":")) or len(kept) == 5:
            break
    while kept and (kept[-1].rstrip(",").lower() in INNER or kept[-1] == "The"):
        kept.pop()
    place = " ".join(kept).rstrip(",").rstrip(".")
    return place if place[:1].isupper() else place.title()


def _from_last_stop(rest: str, pattern: re.Pattern[str]) -> str:
    """ "what is the Oslo" → "Oslo": what stands before the topic begins with words of the question."""
    if pattern is BESIDE_TOPIC[1]:
        return rest
    words = rest.split(" ")
    stops = [
        index
        for index, word in enumerate(words)
        if word.lower() in NO_PLACE or word.lower().startswith(("what", "how"))
    ]
    return " ".join(words[stops[-1] + 1 :]) if stops else rest
