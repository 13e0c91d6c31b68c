from __future__ import annotations

import gc
import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from statistics import median
from typing import Any

from django.core.management import BaseCommand
from django.db import connection, transaction

from accounts.models import User
from chat import access
from chat.models import Conversation
from chat.pages import Page, messages_page, participations_page

PAGE = 50
CALLS = 300
SMALL_ROOM = 25  # messages; half of all messages are in such rooms, the other half in one large room
ROWS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM n WHERE i < %s) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(%s::bigint, %s::bigint)) ",
}
ID = {"sqlite": "printf('%%0{}x', {})", "postgresql": "lpad(to_hex({1}), {0}, '0')"}


class Command(BaseCommand):
    help = "Fill the database up to a number of messages, and time the lists people see; prints seconds per page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("messages", type=int)

    def handle(self, *, messages: int, **_: Any) -> None:
        user, _created = User.objects.get_or_create(username="reader", defaults={"password": "!"})
        fill(user, messages)
        self.stdout.write(json.dumps(_measure(user, messages)))


def _measure(user: User, messages: int) -> dict[str, float]:
    room = Conversation.objects.get(id=_room_id(0))
    said = access.list_messages(room)
    seats = access.list_participations(user)
    deep_seat = list(seats.reverse()[: PAGE * 2])[-1]
    older_seats = f"{deep_seat.active_at.isoformat()}_{deep_seat.conversation_id}"
    gc.disable()
    return {
        "messages, newest": _time(lambda: messages_page(said, "", PAGE)),
        "messages, near the oldest": _time(lambda: messages_page(said, str(PAGE * 2), PAGE)),
        "conversations, newest": _time(lambda: participations_page(seats, "", PAGE)),
        "conversations, near the oldest": _time(lambda: participations_page(seats, older_seats, PAGE)),
    }


def _time(page: Callable[[], Page[Any]]) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        found = page()
        times.append(time.perf_counter() - started)
        assert len(found.rows) == PAGE
    return median(times[CALLS // 10 :])  # the first calls fill caches


def fill(user: User, messages: int) -> None:
    """Rooms and messages up to that number, made inside the database."""
    half, rooms = messages // 2, messages // 2 // SMALL_ROOM
    known = Conversation.objects.count() - 1  # small rooms; -1: not even the large one
    begin = max(known, 0) * SMALL_ROOM
    with transaction.atomic():
        _rooms(user, known + 1, rooms)
        _messages(begin + 1, half, _id("0"), "i")
        _messages(begin + 1, half, _id(f"1 + (i - 1) / {SMALL_ROOM}"), f"1 + (i - 1) %% {SMALL_ROOM}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _rooms(user: User, first: int, last: int) -> None:
    uid = user.id.hex if connection.vendor == "sqlite" else str(user.id)
    moment = {
        "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', '2026-01-01', '+' || i || ' seconds')",
        "postgresql": "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'",
    }[connection.vendor]
    _insert(
        "chat_conversation", "id, title, created_by_id, created_at, message_seq",
        f"{_id('i')}, 'Room', '{uid}', {moment}, 0", first, last,
    )  # fmt: skip
    _insert(
        "chat_participant", "id, conversation_id, user_id, agent_id, joined_at, active_at, read_seq",
        f"{_id('i')}, {_id('i')}, '{uid}', NULL, {moment}, {moment}, 0", first, last,
    )  # fmt: skip


def _messages(first: int, last: int, room: str, seq: str) -> None:
    kind = "0" if seq == "i" else "1"
    false = {"sqlite": "0", "postgresql": "false"}[connection.vendor]
    message_id = _id("i", kind)
    _insert(
        "agents_app_message",
        "id, context_id, seq, role, inner, state, text, parts, metadata, error, usage, created_at",
        f"{message_id}, {room}, {seq}, 'user', {false}, 'complete', 'Something that was said here.', "
        f"'[]', '{{}}', '', '{{}}', '2026-01-01 00:00:00'",
        first, last,
    )  # fmt: skip


def _insert(table: str, columns: str, values: str, first: int, last: int) -> None:
    columns = ", ".join(f'"{name}"' for name in columns.split(", "))
    into = f'INSERT INTO "{table}" ({columns}) '
    body = f"SELECT {values} FROM n"
    rows = ROWS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(into + rows + body, [first, last])


def _id(number: str, kind: str = "0") -> str:
    """SQL of a UUID that grows with a number, as UUIDs of version 7 do."""
    digits = ID[connection.vendor].format(31, number)
    text = f"'{kind}' || {digits}"
    return text if connection.vendor == "sqlite" else f"({text})::uuid"


def _room_id(number: int) -> str:
    return f"{number:032x}"
