from __future__ import annotations

import time
from typing import Any

import pytest

from agents_app.base import Skill, Tool, tool
from agents_app.brains.embedded.heard import Call, Heard, Intent, Talk
from agents_app.brains.embedded.intents import find_intent
from agents_app.brains.neighbours import Neighbour


async def nothing(turn: Any, **_: Any) -> str:
    return ""


def named(*names: str) -> list[Tool]:
    return [Tool(nothing, name, "") for name in names]


PHIL = Neighbour(
    "phil",
    "Phil Connors",
    "Television weatherman.",
    (
        Skill("weather", "Weather", "Forecasts.", ("weather", "forecast"), ("What is the weather in Oslo?",)),
        Skill("groundhog", "Groundhog Day", "Its lore.", ("groundhog", "punxsutawney"), ()),
    ),
)
CHLOE = Neighbour("chloe", "Chloe", "Generalist.", (Skill("web", "Web pages", "Reads them.", ("web", "url"), ()),))


def to_chloe(text: str, *earlier: str) -> Intent | None:
    tools = named("web_page", "calculate", "current_time", "ask_agent")
    return find_intent(Heard(text, ("chloe", "Chloe"), tools, [PHIL], earlier))


def to_phil(text: str, *earlier: str) -> Intent | None:
    tools = named("weather", "current_time", "ask_agent")
    return find_intent(Heard(text, ("phil", "Phil Connors", "Phil"), tools, [CHLOE], earlier))


def asks_phil(question: str, topic: str = "") -> Call:
    return Call("ask_agent", {"agent": "phil", "message": question}, topic)


@pytest.mark.parametrize(
    ("text", "place", "day"),
    [
        ("@chloe what should I wear in Oslo today?", "Oslo", "today"),
        ("What should I wear in Oslo today?", "Oslo", "today"),
        ("what do I put on in oslo tomorrow", "Oslo", "tomorrow"),
        ("I'm flying to Bergen on Friday, which jacket should I pack?", "Bergen", "on Friday"),
        ("Do I need an umbrella in London?", "London", "today"),
        ("Chloe, should I take a coat to New York City tomorrow?", "New York City", "tomorrow"),
    ],
)
def test_clothes_are_a_question_for_the_weatherman(text: str, place: str, day: str) -> None:
    assert to_chloe(text) == asks_phil(f"What is the weather in {place} {day}?", "clothes")


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("What is the weather in Oslo today?", {"place": "Oslo", "day": "today"}),
        ("@phil weather Berlin", {"place": "Berlin"}),
        ("Oslo weather please", {"place": "Oslo"}),
        ("What's Oslo's weather like?", {"place": "Oslo"}),
        ("how's the weather in rio de janeiro tomorrow", {"place": "Rio De Janeiro", "day": "tomorrow"}),
        ("Will it snow in Punxsutawney on Friday?", {"place": "Punxsutawney", "day": "friday"}),
        ("Is it cold in New York right now?", {"place": "New York"}),
        ("forecast for São Paulo, Brazil", {"place": "São Paulo, Brazil"}),
        ("How warm is Barcelona today?", {"place": "Barcelona", "day": "today"}),
        ("What's the weather like in The Hague?", {"place": "The Hague"}),
        ("weather in Frankfurt am Main", {"place": "Frankfurt am Main"}),
        ("Is it going to rain in Paris the day after tomorrow?", {"place": "Paris", "day": "the day after tomorrow"}),
    ],
)
def test_a_place_and_weather_words(text: str, arguments: dict[str, str]) -> None:
    assert to_phil(text) == Call("weather", arguments)


def test_an_agent_with_the_tool_advises_on_clothes_itself() -> None:
    assert to_phil("What should I wear in Oslo?") == Call("weather", {"place": "Oslo"}, "clothes")


@pytest.mark.parametrize("text", ["What's the weather like?", "Do I need a jacket?", "What should I wear today?"])
def test_weather_without_a_place_asks_for_it(text: str) -> None:
    assert to_phil(text) == Talk("which_place")


@pytest.mark.parametrize(
    "text",
    [
        "Why does it rain?",
        "Explain how storms form.",
        "What is snow?",
        "I feel under the weather",
        "Tell me about cold fusion.",
        "What do people wear at weddings?",
    ],
)
def test_weather_as_such_is_not_a_forecast(text: str) -> None:
    assert to_phil(text) is None


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("What is 12 * 7?", "12 * 7"),
        ("12*7", "12*7"),
        ("What's 15% of 80?", "15% of 80"),
        ("what is 1 / 0?", "1 / 0"),
        ("Calculate (3 + 4) * 2 please", "(3 + 4) * 2"),
        ("How much is 1200 plus 19 percent?", "1200 plus 19 percent"),
        ("@chloe 2 ^ 10 = ?", "2 ^ 10"),
        ("If I buy 3 books, how much is 3 * 12.50?", "3 * 12.50"),
        ("what is the square root of 144", "the square root of 144"),
    ],
)
def test_arithmetic(text: str, expression: str) -> None:
    intent = to_chloe(text)
    assert isinstance(intent, Call) and intent.tool == "calculate"
    assert intent.arguments["expression"].replace(" ", "") == expression.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["42", "Call me on 555-1234.", "We meet 2026-05-01.", "24/7 support is what I want", "My 2 cats"]
)
def test_numbers_alone_are_no_arithmetic(text: str) -> None:
    assert to_chloe(text) is None


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("What time is it?", {}),
        ("what time is it in Tokyo?", {"place_or_zone": "Tokyo"}),
        ("current time in new zealand please", {"place_or_zone": "New Zealand"}),
        ("What day is it?", {}),
        ("What is today's date?", {}),
        ("time in Kuala Lumpur", {"place_or_zone": "Kuala Lumpur"}),
    ],
)
def test_time(text: str, arguments: dict[str, str]) -> None:
    assert to_chloe(text) == Call("current_time", arguments)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com/a?b=1", "https://example.com/a?b=1"),
        ("What does https://example.com/story say?", "https://example.com/story"),
        ("Summarise example.com/news, please.", "example.com/news"),
        ("Read www.example.org.", "www.example.org"),
        ("(see http://127.0.0.1:9000/page)", "http://127.0.0.1:9000/page"),
    ],
)
def test_an_address_is_read(text: str, url: str) -> None:
    assert to_chloe(text) == Call("web_page", {"url": url})


def test_an_agent_without_the_tool_asks_one_that_reads_pages() -> None:
    expected = Call("ask_agent", {"agent": "chloe", "message": "What does https://example.com say?"})
    assert to_phil("https://example.com") == expected


def test_an_email_address_is_no_page() -> None:
    assert to_chloe("Write to ada@example.com") is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Ask Phil what he had for breakfast", "What he had for breakfast"),
        ("@chloe ask @phil: how do you feel?", "How do you feel?"),
        ("Can you ask Phil Connors about the parade?", "What about the parade?"),
        ("please check with phil if it will be cold", "It will be cold"),
        ("What would Phil say about mornings?", "What would you say about mornings?"),
        ("What does Phil think of groundhogs?", "What do you think of groundhogs?"),
    ],
)
def test_another_agent_is_asked_by_name(text: str, question: str) -> None:
    assert to_chloe(text) == asks_phil(question)


def test_a_name_alone_asks_nobody() -> None:
    assert to_chloe("I like Phil a lot, he cheers me up") is None


def test_what_another_agent_is_good_at_goes_to_it() -> None:
    text = "Who started the groundhog business?"
    assert to_chloe(text) == asks_phil(text)


@pytest.mark.parametrize(
    ("text", "earlier", "arguments"),
    [
        ("and in Paris?", ["What is the weather in Oslo today?"], {"place": "Paris", "day": "today"}),
        ("What about tomorrow?", ["What is the weather in Oslo today?"], {"place": "Oslo", "day": "tomorrow"}),
        ("Tokyo?", ["weather in Oslo"], {"place": "Tokyo"}),
        ("and on Friday", ["thanks", "weather in Oslo"], {"place": "Oslo", "day": "friday"}),
        ("oslo", ["What's the weather like?"], {"place": "Oslo"}),
        ("In new york, please", ["weather", "hi"], {"place": "New York"}),
    ],
)
def test_a_follow_up_keeps_the_topic(text: str, earlier: list[str], arguments: dict[str, str]) -> None:
    assert to_phil(text, *earlier) == Call("weather", arguments)


@pytest.mark.parametrize("text", ["really", "I see", "Nice one", "Brilliant!", "and why?", "okay"])
def test_a_short_remark_is_no_place(text: str) -> None:
    assert to_phil(text, "What is the weather in Oslo today?") is None


def test_a_follow_up_on_clothes_asks_again() -> None:
    expected = asks_phil("What is the weather in Paris today?", "clothes")
    assert to_chloe("And in Paris?", "What should I wear in Oslo today?") == expected


def test_a_follow_up_on_the_time() -> None:
    assert to_chloe("and in London?", "What time is it in Tokyo?") == Call("current_time", {"place_or_zone": "London"})


def test_a_weather_question_without_place_means_the_last_one() -> None:
    assert to_phil("Will it rain tomorrow?", "What is the weather in Oslo?") == Call(
        "weather", {"place": "Oslo", "day": "tomorrow"}
    )


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Hi!", "greeting"),
        ("Good morning, Chloe", "greeting"),
        ("@chloe hello there 👋", "greeting"),
        ("@chloe @phil hi!", "greeting"),
        ("@all: hello", "greeting"),
        ("Who are you?", "about"),
        ("What can you do?", "skills"),
        ("Thanks a lot!", "thanks"),
        ("thank you chloe", "thanks"),
        ("How are you today?", "how_are_you"),
        ("Tell me a joke", "joke"),
        ("bye", "farewell"),
        ("Which model are you?", "brain"),
        ("Are you a robot?", "brain"),
        ("I feel a bit sad today.", "comfort"),
    ],
)
def test_small_talk(text: str, topic: str) -> None:
    assert to_chloe(text) == Talk(topic)


@pytest.mark.parametrize(
    "text",
    [
        "Hi, what is a prime number?",
        "How do I make pancakes?",
        "Who are the Beatles?",
        "What can you do with a ruler?",
        "",
    ],
)
def test_everything_else_is_for_words(text: str) -> None:
    assert to_chloe(text) is None


def test_an_agent_without_tools_only_talks() -> None:
    heard = Heard("What is the weather in Oslo and what is 2 * 3?", ("solo", "Solo"))
    assert find_intent(heard) is None


@tool
async def roll_dice(turn: Any, sides: int = 6) -> str:
    """Roll."""
    return ""


@tool
async def praise(turn: Any, name: str) -> str:
    """Praise."""
    return ""


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("Roll the dice", Call("roll_dice", {})),
        ("please roll dice with 20 sides", Call("roll_dice", {"sides": 20})),
        ('Praise "Ada Lovelace"!', Call("praise", {"name": "Ada Lovelace"})),
        ("What is a dice?", None),
    ],
)
def test_a_tool_nobody_knows_is_called_by_its_name(text: str, call: Call | None) -> None:
    assert find_intent(Heard(text, ("solo", "Solo"), [roll_dice, praise])) == call


@pytest.mark.parametrize(
    "bit", ["what phil ", "in ", "a-", "((((", "1+", "Ask Phil weather in ", "www.a-", "tell a joke "]
)
def test_a_long_message_is_read_in_no_time(bit: str) -> None:
    started = time.perf_counter()
    to_chloe(bit * (100_000 // len(bit)), bit * (100_000 // len(bit)))
    assert time.perf_counter() - started < 10  # seconds: no blow-up, however busy the machine is
