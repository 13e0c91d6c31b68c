"""Questions about weather, clothes and the time, and what goes on from them."""

from __future__ import annotations

import re

from agents_app.brains.embedded.heard import Call, Heard, Intent, Talk, ask
from agents_app.brains.embedded.places import DAY, NEAR, find_day, find_place

CLOTHES = re.compile(
    r"\b(wear|wearing|dress|put on|clothes|clothing|outfit|jacket|coat|sweater|jumper|pullover|shorts|t-shirt"
    r"|gloves|boots|scarf|pack)\b",
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
    r"^\W*(why|explain|define|how (do|does|did|is|are) .*\b(form|work|made|measured)"
    r"|what (is|are|causes) (a |an |the )?(rain|snow|wind|weather|storm|fog|thunder)\w*\W*$)|under the weather",
    re.IGNORECASE,
)
ADVICE = re.compile(r"\b(should|shall|do i need|can i)\b", re.IGNORECASE)
OUTSIDE = re.compile(r"\boutside\b", re.IGNORECASE)
UMBRELLA = re.compile(r"\bumbrella\b", re.IGNORECASE)
TIME = re.compile(
    r"\bwhat('s| is)?( the)?( current| local)? time\b|\bwhat time is it\b|\b(current|local) time\b|\btime is it\b"
    r"|\btime (now|in)\b|\bwhat('s| is)? (the )?(date|day)\b|\b(today's|current) date\b|\bwhich day\b"
    r"|\bwhat (date|day|year|month) is it\b|\bhow late is it\b",
    re.IGNORECASE,
)
FOLLOW_UP = re.compile(r"^\W*(and|but|or|ok|okay|so|what about|how about|then)\b[\s,]*", re.IGNORECASE)


def about_weather(heard: Heard, text: str, place: str = "", day: str = "") -> Intent | None:
    clothes, weather = CLOTHES.search(text), WEATHER.search(text)
    place = place or find_place(text)
    if IN_GENERAL.search(text) or not (
        weather or ((clothes or MAYBE_WEATHER.search(text)) and (place or _asks_advice(text)))
    ):
        return None
    other = None if heard.has("weather") else heard.who_knows("weather")
    if not heard.has("weather") and not other:
        return None
    place = place or _earlier_place(heard)
    if not place:
        return Talk("which_place")
    day = day or find_day(text)
    topic = "clothes" if clothes or UMBRELLA.search(text) else ""
    if other:
        return ask(other, f"What is the weather in {place} {_on(day or 'today')}?", topic or "weather")
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


def about_time(heard: Heard, text: str, place: str = "") -> Intent | None:
    if not TIME.search(text) or not heard.has("current_time"):
        return None
    place = place or find_place(text)
    return Call("current_time", {"place_or_zone": place} if place else {})


def follow_up(heard: Heard) -> Intent | None:
    """ "And in Paris?", "tomorrow?", or just "Oslo" after a question about weather or time."""
    topic = next((text for text in heard.earlier[:5] if _is_topical(text)), "")
    begins = FOLLOW_UP.match(heard.text)
    rest = heard.text[begins.end() :] if begins else heard.text
    if not topic or len(rest.split()) > (6 if begins else 4):
        return None
    day = find_day(rest)
    was_asked = heard.earlier[0] == topic and not find_place(topic)
    place = find_place(rest) if NEAR.match(rest) else _bare_place(rest, sure=bool(begins) or was_asked)
    if not (place or day):
        return None
    if TIME.search(topic):
        return about_time(heard, topic, place)
    return about_weather(heard, topic, place or find_place(topic), day)


def _bare_place(rest: str, *, sure: bool) -> str:
    """ "Paris?" and nothing else. Without the question mark it may be a remark, unless a place is due."""
    place = find_place(f"weather {rest}")
    alone = len(place.split()) == len(DAY.sub("", rest).replace("please", "").strip(" ,?!.").split())
    return place if place and alone and (sure or (rest.strip().endswith("?") and rest.strip()[0].isupper())) else ""
