from __future__ import annotations

from uuid import uuid4

import pytest

from agents_app.models import Attachment
from chat import access
from chat.tests.room import Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(ada) -> Room:
    return Room(ada)


def kept_things(room: Room, ada) -> list:
    message = room.said("@chloe hello", ada)
    task = room.task("chloe", message)
    file = Attachment.objects.create(context_id=room.id, owner=ada, filename="a.txt", size=1, sha256="0" * 64)
    return [
        (access.get_conversation, room.id),
        (access.get_participation, room.id),
        (access.get_message, message.id),
        (access.get_task, task.id),
        (access.get_attachment, file.id),
        (access.get_participant, room.seats[0].id),
    ]


def test_it_works(room, ada):
    for get, id in kept_things(room, ada):
        assert get(ada, id)


def test_an_outsider_gets_nothing_and_learns_nothing(room, ada, mallory, grace):
    for get, id in kept_things(room, ada):
        said = []
        for somebody, unknown in ((mallory, id), (grace, id), (ada, uuid4())):
            with pytest.raises(access.NotFound) as missing:
                get(somebody, unknown)
            said.append(str(missing.value))
        assert len(set(said)) == 1, "what is foreign and what is not there must look the same"


def test_whoever_left_is_an_outsider(room, ada):
    things = kept_things(room, ada)
    room.seats[0].delete()
    for get, id in things:
        with pytest.raises(access.NotFound):
            get(ada, id)


def test_find_says_nothing_instead_of_raising(room, mallory):
    assert access.find_conversation(mallory, room.id) is None
    assert access.find_participation(mallory, room.id) is None


def test_a_list_holds_only_ones_own(room, ada, mallory):
    Room(mallory, title="Mallory's")
    assert [seat.conversation.title for seat in access.list_participations(ada)] == ["A room"]


def test_what_agents_say_to_each_other_is_not_in_the_list_of_messages(room, ada):
    room.said("Aloud", ada)
    room.said("Between us", agent="chloe", inner=True)
    assert [message.text for message in access.list_messages(room.conversation)] == ["Aloud"]


def test_an_agent_that_is_switched_off_is_not_offered(ada):
    access.list_agents().filter(id="phil").update(enabled=False)
    assert [agent.id for agent in access.list_agents()] == ["chloe"]
