"""A whole conversation as a file, read page by page: however long it is, little of it is in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from agents_app.models import Message
from agents_app.parts import attachment_id
from agents_app.threads import in_thread
from chat import access
from chat.models import Conversation

PAGE_SIZE = 200
FORMATS = {"md": "text/markdown; charset=utf-8", "json": "application/json"}


def export_response(conversation: Conversation, format: str) -> StreamingHttpResponse:
    """`format` is one of FORMATS, and the ending of the file's name."""
    body = {"md": _markdown, "json": _json}[format](conversation)
    response = StreamingHttpResponse(body, content_type=FORMATS[format])
    response["Content-Disposition"] = content_disposition_header(True, f"{_file_name(conversation)}.{format}") or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _markdown(conversation: Conversation) -> AsyncIterator[str]:
    people = await in_thread(lambda: [str(who) for who in access.list_participants(conversation)])
    yield f"# {conversation}\n\nWith {', '.join(people)}. Begun {_moment(conversation)}.\n"
    async for message in _messages(conversation):
        said = "\n\n".join(filter(None, (_part_text(part) for part in message.all_parts)))
        end = f"\n\n*{message.error or 'Stopped.'}*" if message.state in ("failed", "stopped") else ""
        yield f"\n## {_author(message)}, {_moment(message)}\n\n{said}{end}\n"


async def _json(conversation: Conversation) -> AsyncIterator[str]:
    people = await in_thread(lambda: list(map(_participant, access.list_participants(conversation))))
    head = {"id": str(conversation.id), "title": conversation.title, "created_at": conversation.created_at.isoformat()}
    yield f'{json.dumps(head | {"participants": people}, ensure_ascii=False)[:-1]}, "messages": ['
    comma = ""
    async for message in _messages(conversation):
        yield f"{comma}\n{json.dumps(_row(message), ensure_ascii=False)}"
        comma = ","
    yield "\n]}\n"


async def _messages(conversation: Conversation) -> AsyncIterator[Message]:
    """From the first to the last."""
    said, seq = access.list_messages(conversation).select_related("agent", "user"), 0
    while rows := await in_thread(list, said.filter(seq__gt=seq)[:PAGE_SIZE]):
        for message in rows:
            yield message
        seq = rows[-1].seq


def _row(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "seq": message.seq,
        "created_at": message.created_at.isoformat(),
        "role": message.role,
        "author": _author(message),
        "agent": message.agent_id,
        "username": message.user.username if message.user else None,
        "state": message.state,
        "parts": message.all_parts,
        "error": message.error,
        "usage": message.usage,
    }


def _participant(participant: Any) -> dict[str, Any]:
    user = participant.user
    return {"name": str(participant), "agent": participant.agent_id, "username": user.username if user else None}


def _part_text(part: dict[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    name = part.get("filename") or "a file"
    if attachment_id(part):
        return f"[{name}]"
    return f"<{part['url']}>" if "url" in part else f"```json\n{json.dumps(part.get('data'), indent=2)}\n```"


def _author(message: Message) -> str:
    return str(message.agent or message.user or "Somebody who left")


def _moment(row: Any) -> str:
    return str(row.created_at.strftime("%Y-%m-%d %H:%M UTC"))


def _file_name(conversation: Conversation) -> str:
    """Of the title, what every file system takes."""
    kept = "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in str(conversation))
    return "-".join(kept.split())[:80] or "conversation"
