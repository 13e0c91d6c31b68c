from __future__ import annotations

import pytest

from chat import unread
from chat.access import list_participations
from chat.rendering import conversation_items
from chat.tests.room import Room
from chat.unread import count_unread

pytestmark = pytest.mark.django_db


def counts(user) -> list[int]:
    seats = list(list_participations(user))
    found = count_unread(seats)
    return sorted(found.get(seat.pk, 0) for seat in seats)


def test_it_works(ada, mallory):
    many, one, _none = (Room(ada, mallory, agents=()) for _ in range(3))
    for _ in range(3):
        many.said("Well?", mallory)
    one.said("Well?", mallory)
    assert counts(ada) == [0, 1, 3]
    assert "99+" not in "".join(conversation_items(list(list_participations(ada))))


def test_what_was_read_is_not_counted(ada):
    room = Room(ada, agents=())
    said = [room.said("Well?", ada) for _ in range(3)]
    room.seats[0].read_seq = said[1].seq
    room.seats[0].save()
    assert counts(ada) == [1]


def test_what_agents_say_to_each_other_is_not_counted(ada):
    room = Room(ada, agents=())
    room.said("Between us", inner=True)
    room.said("Well?", ada)
    assert counts(ada) == [1]


def test_counting_ends_somewhere(ada):
    room = Room(ada, agents=())
    for _ in range(unread.UNREAD_MAX + 2):
        room.said("Well?", ada)
    assert counts(ada) == [unread.UNREAD_MAX]
    assert "99+" in conversation_items(list(list_participations(ada)))[0]


def test_one_question_for_all_of_a_page(ada, django_assert_num_queries):
    for _ in range(5):
        Room(ada, agents=()).said("Well?", ada)
    seats = list(list_participations(ada))
    with django_assert_num_queries(1):
        count_unread(seats)
