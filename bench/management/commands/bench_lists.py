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
from chat.pages import messages_page, messages_page_around, participations_page
from chat.search import search
from chat.unread import count_unread

PAGE = 50
FOUND = 20
CALLS = 100
SMALL_ROOM = 5  # messages; half of all messages are in such rooms, the other half in one large room
GUEST_ROOMS = 50  # in which somebody takes part who is in no other
RARE = 10_000  # a rare word is said that often in a thousand, among so many messages, and never again
ROWS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM n WHERE i < %s) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(%s::bigint, %s::bigint)) ",
}
TEXT = (
    "'Something about topic' || (i %% 400) || ' that was said here.'"
    f" || CASE WHEN i <= {RARE // 2} AND i %% 1000 = 0 THEN ' A needle.' ELSE '' END"
)
ID = {"sqlite": "printf('%%0{}x', {})", "postgresql": "lpad(to_hex({1}), {0}, '0')"}


class Command(BaseCommand):
    help = "Fill the database up to a number of messages, and time the lists people see; prints seconds per page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("messages", type=int)

    def handle(self, *, messages: int, **_: Any) -> None:
        user, guest = (User.objects.get_or_create(username=name)[0] for name in ("reader", "guest"))
        fill(user, guest, messages)
        gc.disable()
        self.stdout.write(json.dumps(_measure(user) | _measure_search(user, guest)))


def _measure(user: User) -> dict[str, float]:
    room = Conversation.objects.get(id=_room_id(0))
    said = access.list_messages(room)
    seats = access.list_participations(user)
    deep_seat = list(seats.reverse()[: PAGE * 2])[-1]
    older_seats = f"{deep_seat.active_at.isoformat()}_{deep_seat.conversation_id}"
    page = list(seats[:PAGE])
    return {
        "messages, newest": _time(lambda: messages_page(said, "", PAGE)),
        "messages, near the oldest": _time(lambda: messages_page(said, str(PAGE * 2), PAGE)),
        "messages, around one in the middle": _time(lambda: messages_page_around(said, "2500", PAGE)),
        "conversations, newest": _time(lambda: participations_page(seats, "", PAGE)),
        "conversations, near the oldest": _time(lambda: participations_page(seats, older_seats, PAGE)),
        "unread, counted for a page": _time(lambda: count_unread(page)),
    }


def _measure_search(user: User, guest: User) -> dict[str, float]:
    common = search(user, "something", "", FOUND).before
    return {
        "search, a common word": _time(lambda: search(user, "something", "", FOUND), FOUND),
        "search, its next page": _time(lambda: search(user, "something", common, FOUND), FOUND),
        "search, an unfinished word": _time(lambda: search(user, "some", "", FOUND), FOUND),
        "search, one word in 400": _time(lambda: search(user, '"topic7"', "", FOUND), FOUND),
        "search, a rare word": _time(lambda: search(user, "needle", "", FOUND), RARE // 1000),
        "search, a word nobody said": _time(lambda: search(user, "rhinoceros", "", FOUND), 0),
        "search, by somebody with few rooms": _time(lambda: search(guest, "something", "", FOUND), FOUND),
    }


def _time(page: Callable[[], Any], size: int = PAGE) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        found = page()
        times.append(time.perf_counter() - started)
        assert len(getattr(found, "rows", found)) == size
    return median(times[CALLS // 10 :])  # the first calls fill caches


def fill(user: User, guest: User, messages: int) -> None:
    """Rooms and messages up to that number, made inside the database."""
    half, rooms = messages // 2, messages // 2 // SMALL_ROOM
    known = Conversation.objects.count() - 1  # small rooms; -1: not even the large one
    begin = max(known, 0) * SMALL_ROOM
    with transaction.atomic():
        _rooms(user, known + 1, rooms)
        _seats(guest, "2", max(known + 1, 1), min(rooms, GUEST_ROOMS))
        _messages(begin + 1, half, _id("0"), "i")
        _messages(begin + 1, half, _id(f"1 + (i - 1) / {SMALL_ROOM}"), f"1 + (i - 1) %% {SMALL_ROOM}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if (
            connection.vendor == "sqlite"
        ):  # as the server does beside its writer: a log of a million rows slows all reading
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rooms(user: User, first: int, last: int) -> None:
    _insert(
        "chat_conversation", "id, title, created_by_id, created_at, via, message_seq",
        f"{_id('i')}, 'Room', '{_uid(user)}', {_moment()}, 'chat', {SMALL_ROOM}", first, last,
    )  # fmt: skip
    _seats(user, "0", first, last)


def _seats(user: User, kind: str, first: int, last: int) -> None:
    _insert(
        "chat_participant", "id, conversation_id, user_id, agent_id, joined_at, active_at, read_seq",
        f"{_id('i', kind)}, {_id('i')}, '{_uid(user)}', NULL, {_moment()}, {_moment()}, 0", first, last,
    )  # fmt: skip


def _uid(user: User) -> str:
    return user.id.hex if connection.vendor == "sqlite" else str(user.id)


def _moment() -> str:
    return {
        "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', '2026-01-01', '+' || i || ' seconds')",
        "postgresql": "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'",
    }[connection.vendor]


def _messages(first: int, last: int, room: str, seq: str) -> None:
    kind = "0" if seq == "i" else "1"
    false = {"sqlite": "0", "postgresql": "false"}[connection.vendor]
    message_id = _id("i", kind)
    _insert(
        "agents_app_message",
        "id, context_id, seq, role, inner, state, text, parts, metadata, wire, error, usage, created_at",
        f"{message_id}, {room}, {seq}, 'user', {false}, 'complete', {TEXT}, "
        f"'[]', '{{}}', '{{}}', '', '{{}}', '2026-01-01 00:00:00'",
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
