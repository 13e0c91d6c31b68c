"""From rows to HTML, by the templates that first paint, history and live all share. No reader's name is needed.

Everything here reads the database in plain calls: from a coroutine, go through `agents_app.threads.in_thread`. What
`message_html` and `step_html` are given must come from `chat/loading.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString

from agents_app.brains import brain_label
from agents_app.models import Artifact, Message, Step, Task, TaskState
from agents_app.parts import attachment_id
from agents_app.runtime.brake import BUDGET, QUESTIONS, Limit
from chat.access import list_agents, list_participants
from chat.markdown import StreamedText, to_html
from chat.models import Conversation, Participant
from chat.unread import count_unread

if TYPE_CHECKING:
    from accounts.models import User

GROUPED_WITHIN = timedelta(minutes=5)
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")


def messages_html(messages: Iterable[Message], reader: User | None = None) -> SafeString:
    """Consecutive messages, for first paint and history: with what the page's scripts would add for `reader`."""
    pieces, before = [], None
    for message in messages:
        pieces.append(_message_html(message, None, grouped=_goes_on(before, message), reader=reader))
        before = message
    return SafeString("".join(pieces))  # every piece comes from a template


def message_html(message: Message, live_text: str | None = None) -> SafeString:
    """One message, as every reader gets it. `live_text`: all that a streaming message said so far."""
    return _message_html(message, live_text)


def _message_html(
    message: Message, live_text: str | None, *, grouped: bool = False, reader: User | None = None
) -> SafeString:
    context = {
        "message": message,
        "author": message.agent or message.user,
        "body": _body(message, message.text if live_text is None else live_text),
        "files": [part for part in map(_part, message.parts) if "html" not in part],
        "artifacts": [shown_artifact(artifact) for artifact in message.shown_artifacts],  # type: ignore[attr-defined]
        "meta": _meta(message),
        "grouped": grouped,
        "mine": reader is not None and message.user_id == reader.pk,
    }
    return render_to_string("chat/_message.html", context)


def _goes_on(before: Message | None, message: Message) -> bool:
    return (
        before is not None
        and (before.agent_id, before.user_id) == (message.agent_id, message.user_id)
        and message.created_at - before.created_at < GROUPED_WITHIN
        and before.created_at.date() == message.created_at.date()
    )


def _body(message: Message, text: str) -> list[dict[str, Any]]:
    """Prose and steps in the order they came; the part of a streaming message that is still open is its `tail`."""
    body: list[dict[str, Any]] = []
    start = 0
    for step in message.shown_steps:  # type: ignore[attr-defined]
        body += _prose(text[start : step.offset])
        body.append({"step": step_html(step)})
        start = step.offset
    if message.state != Message.State.STREAMING:
        return body + _prose(text[start:])
    streamed = StreamedText(start)
    streamed.feed(text[start:])
    settled = [{"prose": SafeString(streamed.settled_html)}] if streamed.settled_html else []
    return [*body, *settled, {"tail": _exact(streamed.tail), "offset": streamed.tail_offset}]


def _prose(text: str) -> list[dict[str, Any]]:
    return [{"prose": SafeString(to_html(text))}] if text.strip() else []  # to_html has sanitised it


def _exact(text: str) -> SafeString:
    """A browser's parser turns carriage returns into newlines, and every later offset would be off by one."""
    return SafeString(escape(text).replace("\r", "&#13;"))


def step_html(step: Step) -> SafeString:
    """A tool call or a delegation, with what the agents said to each other inside it; or the card of the brake."""
    if step.name == BUDGET and step.kind == Step.Kind.ASK:
        return _brake_html(step)
    context = {
        "step": step,
        "asker": step.task.agent,
        "answerer": step.child.agent if step.child else None,
        "chain": step.chain,  # type: ignore[attr-defined]
        "exchange": [message_html(message) for message in step.exchange],  # type: ignore[attr-defined]
        "arguments": [(name, _plain(value)) for name, value in step.data.get("arguments", {}).items()],
        "state": "running" if not step.finished_at else "failed" if step.error else "done",
        "seconds": "" if step.milliseconds is None else f"{step.milliseconds / 1000:.1f} s",
    }
    return render_to_string("chat/_step.html", context)


def _brake_html(step: Step) -> SafeString:
    limit = Limit(step.data["limit"])
    choice = step.data.get("choice", "")
    context = {
        "step": step,
        "says": QUESTIONS[limit],
        "choice": choice,
        "open": not choice and step.task.state == TaskState.INPUT_REQUIRED,
        "fresh": f"{_time(settings.AGENTS_TURN_SECONDS)} and {settings.AGENTS_TURN_TOKENS:,} tokens",
    }
    return render_to_string("chat/_brake.html", context)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds > 60 else f"{seconds:.3g} seconds"


def shown_artifact(artifact: Artifact) -> dict[str, Any]:
    return {"artifact": artifact, "parts": [_part(part) for part in artifact.parts]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    """One A2A part as something to show: `html`, or a `file`, a `link` or `data`."""
    filename, media_type = part.get("filename", ""), part.get("mediaType", "")
    if "text" in part:
        return {"html": SafeString(to_html(part["text"]))}
    if file := attachment_id(part):
        return {"file": file, "filename": filename or "file", "is_image": media_type in IMAGES}
    if "url" in part:
        return {"link": part["url"] if part["url"].startswith(("https://", "http://")) else "", "name": part["url"]}
    if "data" in part:
        return {"data": json.dumps(part["data"], indent=2, ensure_ascii=False)}
    return {"data": f"{filename or 'A file'} ({media_type or 'unknown type'})"}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _meta(message: Message) -> list[str]:
    """What the answer took: model, tokens, price, time; each only where known."""
    usage = message.usage
    tokens = (usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0)
    price = usage.get("price")
    seconds = _seconds(message.task) if message.task and message.role == Message.Role.AGENT else None
    meta = [
        usage.get("model") or "",
        f"{tokens:,} tokens" if tokens else "",
        f"${float(price):.4f}" if price else "",
        f"{seconds:.1f} s" if seconds else "",
    ]
    return [part for part in meta if part]


def _seconds(task: Task) -> float | None:
    return (task.updated_at - task.created_at).total_seconds() if task.is_terminal else None


def conversation_items(participations: Sequence[Participant]) -> list[SafeString]:
    """Entries of one person's sidebar."""
    people = Prefetch(
        "conversation__participants", Participant.objects.select_related("agent").order_by("agent__position", "id")
    )
    prefetch_related_objects(participations, people)
    counts = count_unread(participations)
    return [conversation_item_html(seat.conversation, seat.read_seq, counts.get(seat.pk, 0)) for seat in participations]


def conversation_item_html(conversation: Conversation, read_seq: int | None = None, unread: int = 0) -> SafeString:
    """An entry of the sidebar. Without `read_seq` the page keeps what it knows of its reader."""
    agents = [participant.agent for participant in conversation.participants.all() if participant.agent]
    context = {"conversation": conversation, "agents": agents[:3], "read_seq": read_seq, "unread": unread}
    return render_to_string("chat/_conversation_item.html", context)


def participants_html(conversation: Conversation) -> SafeString:
    """Who takes part, which brain answers for each agent, and who could be added."""
    participants = list(list_participants(conversation))
    present = {participant.agent_id for participant in participants}
    context = {
        "conversation": conversation,
        "agents": [(p, brain_label(p.agent)) for p in participants if p.agent],
        "people": [p for p in participants if p.user],
        "absent": [agent for agent in list_agents() if agent.id not in present],
    }
    return render_to_string("chat/_participants.html", context)
