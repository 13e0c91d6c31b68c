"""Messages of the wire as a page shows them: bodies indented, the request as a command for curl."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from agents_app.a2a.wire_log import as_curl
from agents_app.models import Task, WireMessage
from chat.pages import Page, wire_page

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Exchange:
    message: WireMessage
    request: str
    response: str
    curl: str

    @property
    def is_failed(self) -> bool:
        """An error of JSON-RPC is an answer 200 with an error in it."""
        status = self.message.status
        return status is None or status >= 400 or '"error":' in self.message.response_body[:200]


def load_exchanges(task: Task, before: str) -> Page[Exchange]:
    """The newest messages of a task, or those before a cursor, oldest first. Raises `BadCursor`."""
    page = wire_page(WireMessage.objects.filter(task=task), before, PAGE_SIZE)
    return Page([_exchange(message) for message in page.rows], page.before)


def count_exchanges(task_id: UUID) -> int:
    return WireMessage.objects.filter(task=task_id).count()


def _exchange(message: WireMessage) -> Exchange:
    return Exchange(message, indented(message.request_body), indented(message.response_body), as_curl(message))


def indented(body: str) -> str:
    """JSON with every value on a line of its own, also in the lines of an event stream; anything else as it is."""
    whole = _indented(body)
    if whole is not None:
        return whole
    return "\n".join(_indented_event(line) for line in body.splitlines())


def _indented_event(line: str) -> str:
    data = _indented(line.removeprefix("data:")) if line.startswith("data:") else None
    return line if data is None else f"data: {data}"


def _indented(text: str) -> str | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # cut off, or nested deeper than anybody writes in earnest
        return None
