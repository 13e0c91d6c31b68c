"""Words an answer from a tool's facts, in the agent's own voice.

`Agent.voice` has several templates for a topic: a tool's name, a small talk topic, "tool:error" … A template names
facts in braces; one that names a fact which is not there is passed over. The same message always gets the same words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any
from uuid import UUID

from agents_app.base import Agent
from agents_app.brains.embedded.clothes import Weather, advice, summary, weather_in_facts, weather_in_words, whole

CONNECT = (
    "set `ANTHROPIC_API_KEY`, `OPENAI_API_KEY` or `GOOGLE_API_KEY`, or start Ollama, and start the server again "
    "(see Settings and the README)"
)
HINT = f"*Written by the small built-in language model: check what matters. For a stronger one, {CONNECT}.*"

DEFAULT_VOICE: Mapping[str, Sequence[str]] = {
    "greeting": ("Hello! I am {name}. {description}",),
    "how_are_you": ("I am fine, thank you. What can I do for you?",),
    "thanks": ("You are welcome.",),
    "praise": ("Thank you!",),
    "farewell": ("Goodbye!",),
    "joke": ("Why do programmers confuse Halloween and Christmas? Because Oct 31 is Dec 25.",),
    "about": ("I am {name}. {description}\n\n{brain}",),
    "skills": ("This is what I can do:\n\n{skills}",),
    "brain": ("{brain}",),
    "sorry": ("I am sorry. {brain}",),
    "comfort": ("I am sorry to hear that. Do you want to tell me more?",),
    "which_place": ("For which place? Tell me a town.",),
    "tool:error": ("That did not work: {error}",),
    "ask_agent": ("{agent_name} says:\n\n{quote}",),
    "ask_agent:clothes": ("{agent_name} reports {reading}.\n\n{advice}",),
    "weather": ("**{place}**, {when}: {description}, {warmth}. Wind {wind_kmh} km/h, {rain}.",),
    "weather:clothes": ("**{place}**, {when}: {description}, {warmth}.\n\n{advice}",),
    "web_page": ("**[{title}]({url})**\n\n{gist}",),
    "lost": ("I do not know what to say to that. {brain}",),
    "no_words": (
        "I cannot answer that: no language model is connected, only my tools. To change that, " + CONNECT + ".\n\n"
        "What I can do without one:\n\n{skills}",
    ),
}


class Voice:
    def __init__(self, agent: Agent, message_id: UUID, about: Mapping[str, str]) -> None:
        """`about`: facts every template may use."""
        self._templates = agent.voice
        self._seed = message_id
        self._about = about

    def say(self, topic: str, facts: Mapping[str, Any] | None = None) -> str:
        """Empty when nothing fits: neither the agent nor the defaults have words for it."""
        known = {
            **self._about,
            **{name: shown(name, value) for name, value in (facts or {}).items() if value is not None},
        }
        fitting = [one for one in self._templates.get(topic, ()) if _names(one) <= known.keys()]
        fitting = fitting or [one for one in DEFAULT_VOICE.get(topic, ()) if _names(one) <= known.keys()]
        return self._pick(topic, fitting).format_map(known) if fitting else ""

    def _pick(self, topic: str, templates: Sequence[str]) -> str:
        digest = hashlib.sha256(f"{self._seed}:{topic}".encode()).digest()
        return templates[int.from_bytes(digest[:4]) % len(templates)]


def word_result(voice: Voice, tool: str, topic: str, text: str, facts: Mapping[str, Any], question: str) -> str:
    """A tool's result as an answer to `question`; `text` is the result's own sentence, for tools without templates."""
    if tool == "weather":
        return _word_weather(voice, topic, facts) or text
    if tool == "ask_agent":
        return _word_answer(voice, topic, facts)
    if tool == "web_page":
        title = re.sub(r"[\[\]*_`]", " ", str(facts["title"])).strip()
        return voice.say("web_page", {**facts, "title": title, "gist": gist(str(facts["text"]), question)})
    return voice.say(tool, {**facts, "text": text}) or text


def _word_weather(voice: Voice, topic: str, facts: Mapping[str, Any]) -> str:
    weather = weather_in_facts(facts)
    known = {**facts, **_in_phrases(facts), "advice": advice(weather)}
    said = voice.say("weather:clothes" if topic == "clothes" else "weather", known)
    return "\n\n".join(filter(None, [said, voice.say(f"weather:{_mood(weather)}", known)]))


def _in_phrases(facts: Mapping[str, Any]) -> dict[str, str]:
    today = facts["day"] == "today"
    between = f"between {whole(facts['low_c'])} and {whole(facts['high_c'])} °C"
    feels = f"feels like {whole(facts['feels_like_c'])} °C"
    chance = facts["precipitation_chance"]
    likely = "" if chance is None else f" ({chance} % chance)"
    falls = facts["precipitation_mm"]
    return {
        "when": facts["day"] if facts["day"] in ("today", "tomorrow") else f"on {facts['day']}",
        "warmth": f"{whole(facts['temperature_c'])} °C now, {feels}, {between} over the day"
        if today
        else f"{between}, {feels}",
        "rain": f"{falls:g} mm of precipitation{likely}" if falls else f"dry{likely}",
    }


def _mood(weather: Weather) -> str:
    if weather.snow:
        return "snow"
    if weather.wet:
        return "rain"
    if weather.feels_like_c <= 3:
        return "cold"
    return "hot" if weather.feels_like_c >= 27 else "fine"


def _word_answer(voice: Voice, topic: str, facts: Mapping[str, Any]) -> str:
    text = str(facts["text"]).strip()
    known = {**facts, "quote": "\n".join(f"> {line}".rstrip() for line in text.splitlines()), "answer": text}
    weather = weather_in_words(text) if topic == "clothes" else None
    if weather is None:
        return voice.say("ask_agent", known)
    return voice.say("ask_agent:clothes", {**known, "reading": summary(weather), "advice": advice(weather)})


def gist(text: str, question: str, most_chars: int = 700) -> str:
    """The sentences of a page that say most about the question, in their order; without a question its beginning."""
    plain = re.sub(r"https?://\S+", " ", question).lower()
    asked = set(re.findall(r"[^\W_]{4,}", plain)) - {
        "what",
        "does",
        "page",
        "read",
        "tell",
        "about",
        "summarize",
        "this",
        "that",
    }
    sentences = [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n+", text) if len(one.split()) > 3] or [text.strip()]
    fits = [_overlap(sentence, asked) for sentence in sentences]
    by_fit = sorted(
        (index for index, fit in enumerate(fits) if fit or not any(fits)), key=lambda index: (-fits[index], index)
    )
    kept: list[int] = []
    for index in by_fit:
        if kept and sum(len(sentences[one]) for one in kept) + len(sentences[index]) > most_chars:
            break
        kept.append(index)
    chosen = " ".join(sentences[index] for index in sorted(kept))
    return chosen if len(chosen) <= 2 * most_chars else chosen[: 2 * most_chars].rsplit(" ", 1)[0] + " …"


def _overlap(sentence: str, asked: set[str]) -> int:
    return len(asked & set(re.findall(r"[^\W_]{4,}", sentence.lower())))


def shown(name: str, value: Any) -> str:
    """A fact as people write it. Degrees and speeds are whole; nobody feels a tenth."""
    if isinstance(value, float):
        return whole(value) if name.endswith(("_c", "_kmh")) else f"{value:g}"
    return str(value)


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
