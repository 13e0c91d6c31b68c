from __future__ import annotations

from datetime import timedelta

import pytest

from chat import access
from chat.models import Participant
from chat.pages import BadCursor, messages_page, participations_page
from chat.tests.room import BEGIN, Room

pytestmark = pytest.mark.django_db


def read_messages(room: Room, size: int) -> list[list]:
    pages, before = [], ""
    while True:
        page = messages_page(access.list_messages(room.conversation), before, size)
        pages.append(page.rows)
        if not page.before:
            return pages
        before = page.before


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_it_works(ada, count, sizes):
    room = Room(ada)
    messages = [room.said(str(number), ada).id for number in range(count)]
    pages = read_messages(room, 3)
    assert [len(page) for page in pages] == sizes
    assert [id for page in reversed(pages) for id in page] == messages


def test_conversations_of_the_same_moment_are_neither_lost_nor_doubled(ada):
    rooms = [Room(ada, title=str(number)) for number in range(7)]
    for number, room in enumerate(rooms):
        Participant.objects.filter(conversation=room.id).update(active_at=BEGIN + timedelta(hours=number // 3))
    seen, before = [], ""
    while True:
        page = participations_page(access.list_participations(ada), before, 2)
        seen += [seat.conversation.title for seat in page.rows]
        if not page.before:
            break
        before = page.before
    assert sorted(seen) == sorted(room.conversation.title for room in rooms)
    assert seen[0] == "6"


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "²", "1 OR 1=1"])
def test_a_made_up_message_cursor_is_refused(ada, cursor):
    with pytest.raises(BadCursor):
        messages_page(access.list_messages(Room(ada).conversation), cursor, 3)


@pytest.mark.parametrize("cursor", ["x", "2026-06-04_x", "_", "2026-13-04T00:00_" + "0" * 32])
def test_a_made_up_conversation_cursor_is_refused(ada, cursor):
    with pytest.raises(BadCursor):
        participations_page(access.list_participations(ada), cursor, 3)
