"""The wire log: every protocol message with its answer, kept with its task, secrets masked before they are stored.

`record` returns at once and never fails: the row goes into the journal's next commit. Whoever streams gathers what passes
in a `Capture` and records it at the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from itertools import islice
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from agents_app import runtime
from agents_app.a2a.access import as_uuid
from agents_app.a2a.masking import (
    LONGEST_NAME,
    MASK,
    is_secret_header,
    mask_header,
    mask_text,
    without_beginning,
    without_last_word,
)
from agents_app.models import WireMessage
from agents_app.runtime.journal import Entry, Journal
from agents_app.runtime.rows import new_row
from agents_app.texts import saveable

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.2
MAX_WAITING = 2_000  # rows not saved yet: what comes while so many wait is not kept
LOOKED_AT = 2  # times the limit: raw parts become short when they are masked, and what is behind them shows
UTF8_BYTES = 4  # of a character, at most
MAX_HEADERS = 64
MAX_NAME_CHARS = 200
MAX_VALUE_CHARS = 2_000
# What curl says by itself, or what belongs to one connection only.
NOT_FOR_CURL = frozenset(
    ("host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent", "keep-alive")
)

Headers = Mapping[str, str] | Iterable[tuple[bytes | str, bytes | str]]

_waiting: WeakKeyDictionary[Journal, list[WireMessage]] = WeakKeyDictionary()


class Capture:
    """The beginning of a body that passes in pieces, and how long it was in all: no more than will be kept."""

    def __init__(self) -> None:
        self._room = _limit() * LOOKED_AT
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self._room > 0:
            self._pieces.append(data[: self._room])
            self._room -= len(data)

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)


Body = bytes | str | Capture


def is_on() -> bool:
    return settings.A2A_WIRE_LOG


def record(
    *,
    direction: WireMessage.Direction | str,
    binding: str,
    operation: str,
    method: str = "",
    url: str = "",
    request_headers: Headers = (),
    request_body: Body = b"",
    status: int | None = None,
    response_headers: Headers = (),
    response_body: Body = b"",
    milliseconds: float = 0,
    task_id: UUID | None = None,
    agent_id: str = "",
    secrets: Iterable[str] = (),
) -> None:
    """Keep one exchange. Call it on the event loop, after the call; `task_id`: of a task that is saved.

    `secrets`: values that must not be kept wherever they stand, such as the credentials of a remote agent.
    """
    if not is_on():
        return
    journal = runtime.current().journal
    waiting = _rows_waiting(journal)
    if len(waiting) >= MAX_WAITING:
        return
    secrets = tuple(secrets)
    row = new_row(
        WireMessage,
        task_id=task_id,
        agent_id=_short(agent_id, 64),
        direction=direction,
        binding=_short(binding, 16),
        operation=_short(operation, 64),
        method=_short(method, 8),
        url=_short(mask_text(_text(url), secrets), MAX_VALUE_CHARS),
        request_headers=_masked_headers(request_headers, secrets),
        request_body=masked_body(request_body, secrets),
        status=status,
        response_headers=_masked_headers(response_headers, secrets),
        response_body=masked_body(response_body, secrets),
        milliseconds=max(round(milliseconds), 0),
        created_at=timezone.now(),
    )
    waiting.append(row)
    if len(waiting) == 1:  # together with what comes in the next moment; at an orderly stop nothing is left
        asyncio.get_running_loop().call_later(GATHER_SECONDS, _save_waiting, journal)


def task_of(result: Any) -> UUID | None:
    """The task that an answer, or an event of a stream, tells of."""
    if not isinstance(result, dict) or "totalSize" in result:
        return None
    told = result.get("task") or result.get("message") or result
    id = told.get("taskId") or told.get("id")
    return as_uuid(id) if isinstance(id, str) else None


def masked_body(body: Body, secrets: Iterable[str] = ()) -> str:
    """A body as it is kept: without secrets, and cut where it is too long."""
    limit = _limit()
    data = (
        body.encode("utf-8", "replace") if isinstance(body, str) else body.data if isinstance(body, Capture) else body
    )
    size = body.size if isinstance(body, Capture) else len(data)
    looked_at = data[: limit * LOOKED_AT]
    text = _text(looked_at)
    if len(looked_at) == size:
        text = mask_text(text, secrets)
    else:
        text = without_last_word(mask_text(without_beginning(text, secrets), secrets))
    if len(looked_at) == size and len(text) * UTF8_BYTES <= limit:  # as most are
        return text
    kept = text.encode()[:limit].decode("utf-8", "ignore")
    whole = len(looked_at) == size and len(kept) == len(text)
    return kept if whole else f"{kept}\n… cut here: {size:,} bytes in all"


def as_curl(message: WireMessage) -> str:
    """The request as a command; the shell puts what $TOKEN holds where a secret was. Empty: curl cannot send it."""
    if not message.method:
        return ""
    url = f"{settings.PUBLIC_URL}{message.url}" if message.url.startswith("/") else message.url
    words = ["curl", "-i" if message.method == "GET" else f"-i -X {_quoted(message.method)}", _quoted(url)]
    for name, value in message.request_headers.items():
        if name.lower() not in NOT_FOR_CURL:
            words.append(f"-H {_quoted(f'{name}: {value}')}")
    if message.request_body:
        words.append(f"--data-raw {_quoted(message.request_body)}")
    return " \\\n  ".join([" ".join(words[:3]), *words[3:]])


def _rows_waiting(journal: Journal) -> list[WireMessage]:
    waiting = _waiting.get(journal)
    if waiting is None:
        waiting = _waiting[journal] = []
        journal.at_close(partial(_save_last, journal))
    return waiting


def _save_waiting(journal: Journal) -> None:
    rows = _waiting.get(journal)
    if rows:  # else the last words of an orderly stop saved them
        _waiting[journal] = []
        journal.post(Entry(new=rows)).add_done_callback(partial(_saved, journal, rows))


def _saved(journal: Journal, rows: list[WireMessage], future: asyncio.Future[Any]) -> None:
    """One that cannot be saved must not take others with it. It is lost, and harms nobody: its task may be deleted."""
    error = None if future.cancelled() else future.exception()
    if error is not None and len(rows) > 1:
        for row in rows:
            journal.post(Entry(new=[row])).add_done_callback(partial(_saved, journal, [row]))
    elif error is not None:
        _note_loss(error)


def _save_last(journal: Journal) -> None:
    """At the end there is no time, and perhaps no loop, to wait for anything."""
    for row in _waiting.pop(journal, ()):
        try:
            journal.append_now(Entry(new=[row]))
        except DatabaseError as error:
            _note_loss(error)


def _note_loss(error: BaseException) -> None:
    logger.info("An exchange is not in the wire log: %s", error, extra={"action": "wire_log.lost"})


def _masked_headers(headers: Headers, secrets: tuple[str, ...]) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    kept: dict[str, str] = {}
    for raw_name, raw_value in islice(pairs, MAX_HEADERS):
        may_be_known = not secrets and len(raw_name) <= LONGEST_NAME and len(raw_value) <= LONGEST_NAME
        masked = _known_header if may_be_known and not _is_secret_header(raw_name) else _masked_header
        name, value = masked(raw_name, raw_value, secrets)
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def _masked_header(name: bytes | str, value: bytes | str, secrets: tuple[str, ...]) -> tuple[str, str]:
    kept = _short(_text(name), MAX_NAME_CHARS)
    return kept, _short(mask_header(kept, _text(value), secrets), MAX_VALUE_CHARS)


_known_header = lru_cache(maxsize=4096)(_masked_header)  # most headers say the same on every call, and hold no secret


@lru_cache(maxsize=2048)
def _is_secret_header(name: bytes | str) -> bool:
    return is_secret_header(_text(name))


def _text(data: bytes | str) -> str:
    """As the database can save it."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return saveable(text)


def _short(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def _limit() -> int:
    return settings.A2A_WIRE_LOG_MAX_BYTES


def _quoted(text: str) -> str:
    """For a shell: everything as it is, but the place of a secret open."""
    pieces = [piece.replace("'", "'\\''") for piece in text.split(MASK)]
    return f'"{MASK}"'.join(f"'{piece}'" if piece else "" for piece in pieces) or "''"
