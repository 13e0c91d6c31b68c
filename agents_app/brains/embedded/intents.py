"""What somebody wants, among the things the agent's own tools can do. Pure: text in, intent out.

In this order: small talk · asking another agent by name · a web address · weather and clothes · the time · arithmetic ·
a follow-up to one of these · a tool of the agent's own · what another agent is good at. The rest is for words alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agents_app.brains.embedded.asking import other_by_name, other_by_skill
from agents_app.brains.embedded.heard import Call, Heard, Intent, Talk, ask
from agents_app.brains.embedded.own_tools import find_call
from agents_app.brains.embedded.smalltalk import find_small_talk
from agents_app.brains.embedded.sums import find_expression
from agents_app.brains.embedded.weather_and_time import about_time, about_weather, follow_up

URL = re.compile(r"https?://[^\s<>\"')\]]+|(?<![@\w.])(?:www\.)[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"')\]]*)?", re.IGNORECASE)
BARE_HOST = re.compile(
    r"(?<![@\w.])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|de|uk|eu|edu|gov|info)(?:/[^\s<>\"')\]]*)?\b"
)
READS = re.compile(
    r"\b(read|open|summari[sz]e|summary|look at|check|visit|fetch|page|site|website|what does)\b", re.IGNORECASE
)
MOST_CHARS = 1000  # read of a message: patterns over a whole book would hold up the event loop


def find_intent(heard: Heard) -> Intent | None:
    heard = replace(
        heard,
        text=without_names(heard.text[:MOST_CHARS], heard.names),
        earlier=[text[:MOST_CHARS] for text in heard.earlier],
    )
    if topic := find_small_talk(heard.text, heard.names):
        return Talk(topic)
    return (
        other_by_name(heard)
        or _web_page(heard)
        or about_weather(heard, heard.text)
        or about_time(heard, heard.text)
        or _arithmetic(heard)
        or follow_up(heard)
        or _own_tool(heard)
        or other_by_skill(heard)
    )


def without_names(text: str, names: Sequence[str]) -> str:
    """Without whom it is addressed to: "@chloe @phil hi" and "Chloe, hi" are both "hi"."""
    text = re.sub(r"^\s*(?:@[\w-]+[\s,:]+)+", "", text)
    for name in names:
        text = re.sub(rf"@{re.escape(name)}\b[,:]?\s*|^\W*{re.escape(name)}[,:]\s*", "", text, flags=re.IGNORECASE)
    return text.strip()


def _web_page(heard: Heard) -> Intent | None:
    found = URL.search(heard.text) or (BARE_HOST.search(heard.text) if READS.search(heard.text) else None)
    if not found:
        return None
    url = found[0].rstrip(".,;:!?")
    if heard.has("web_page"):
        return Call("web_page", {"url": url})
    other = heard.who_knows("web")
    return ask(other, f"What does {url} say?") if other else None


def _arithmetic(heard: Heard) -> Intent | None:
    expression = find_expression(heard.text) if heard.has("calculate") else ""
    return Call("calculate", {"expression": expression}) if expression else None


def _own_tool(heard: Heard) -> Intent | None:
    found = find_call(heard.text, heard.tools)
    return Call(*found) if found else None
