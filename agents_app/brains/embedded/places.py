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
    why with would year years yes yet you your thanks celsius fahrenheit degrees english german french spanish terms
    case fact {WEEKDAYS.replace("|", " ")} {MONTHS.replace("|", " ")}
    """.split()
)
INNER = frozenset(
    ("de", "la", "le", "del", "da", "do", "dos", "des", "di", "upon", "sur", "am", "an", "der", "the", "of", "y")
)

MOST_WORDS = 5
WORD = r"[^\W\d_][\w'’.-]*"
TOPIC = r"(?:weather|forecast|temperature|time)\b"
NEAR = re.compile(
    rf"\b(?:in|at|near|around|for|to|from|visit|visiting)\s+(?=(?P<rest>(?:the\s+)?{WORD}.*))", re.IGNORECASE
)
BEFORE_TOPIC = re.compile(rf"(?P<rest>{WORD}(?:[ ]{WORD}){{0,3}}?)(?:['’]s)?\s+{TOPIC}", re.IGNORECASE)
AFTER_TOPIC = re.compile(rf"\b{TOPIC}[:,]?\s+(?P<rest>{WORD}.*)", re.IGNORECASE)
ANY_CAPITALS = re.compile(r"(?<=\s)(?P<rest>[A-ZÀ-Þ][\w'’.-]+.*)")


def find_place(text: str) -> str:
    """ "Is it cold in New York today?" → "New York". Empty when there is none."""
    text = re.sub(r"\s+", " ", text).strip(" ?!.")
    for found in NEAR.finditer(text):
        preposition = found[0].split()[0].lower()
        # "in oslo" is a place; "to bed" is not, "to Oslo" is.
        if place := _read(found["rest"], capitals=preposition not in ("in", "for", "near", "around")):
            return place
    before, after, capitals = (pattern.search(text) for pattern in (BEFORE_TOPIC, AFTER_TOPIC, ANY_CAPITALS))
    return (
        (before and _read(_without_question(before["rest"]), capitals=False))
        or (after and _read(after["rest"], capitals=False))
        or (capitals and _read(capitals["rest"], capitals=True))
        or ""
    )


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
    """The words from the start that can be one place's name; `capitals`: only with capital letters."""
    kept: list[str] = []
    for word in rest.split(" ")[:MOST_WORDS]:
        name = re.sub(r"['’]s$", "", word.strip('?!.;:()"“”'))
        if not _belongs(name, kept, capitals):
            break
        kept.append(name)
        if word[-1:] in "?!;:":
            break
    while kept and kept[-1].rstrip(",").lower() in INNER:
        kept.pop()
    place = " ".join(kept).rstrip(",")
    return place[:1].upper() + place[1:] if any(map(str.isupper, place)) else place.title()


def _belongs(name: str, kept: list[str], capitals: bool) -> bool:
    word = name.rstrip(",").lower()
    begins = not kept or (kept[0].lower() == "the" and len(kept) == 1)
    if word in INNER:
        return word == "the" if not kept else not begins  # "The Hague", "Frankfurt am Main"
    if word in NO_PLACE or not re.fullmatch(WORD, word):
        return False
    return name[0].isupper() or not (capitals or (kept and (kept[-1][0].isupper() or begins)))


def _without_question(words: str) -> str:
    """ "what is the Oslo" → "Oslo"."""
    split = words.split(" ")
    ends = [
        at for at, word in enumerate(split, start=1) if word.lower() in NO_PLACE or re.match("what|how", word.lower())
    ]
    return " ".join(split[ends[-1] :]) if ends else words
