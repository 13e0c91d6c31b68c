from __future__ import annotations

import pytest
from django.db import connection

from agents_app.actions.contexts import _delete_rows
from agents_app.models import Message
from chat import search as searching
from chat.pages import BadCursor
from chat.search import search, sqlite
from chat.search.tables import keep_search_tables
from chat.tests.room import Room, make_agent

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["few rooms", "many rooms"])
def room(request, monkeypatch, ada) -> Room:
    """Both ways to search: among the person's rooms, and among everybody's."""
    if request.param == "many rooms":
        monkeypatch.setattr(searching, "FEW_ROOMS", 0)
    return Room(ada, agents=())


def texts(user, query: str, before: str = "", size: int = 20) -> list[str]:
    return [found.message.text for found in search(user, query, before, size).rows]


def test_it_works(room, ada):
    room.said("Take an umbrella to Oslo", ada)
    room.said("Berlin is dry", ada)
    (found,) = search(ada, "oslo umbrella", "", 20).rows
    assert (found.message.text, found.conversation) == ("Take an umbrella to Oslo", room.conversation)
    assert found.excerpt == "Take an <mark>umbrella</mark> to <mark>Oslo</mark>"


def test_what_agents_say_is_found_too(room, ada):
    make_agent("rain")
    room.said("An umbrella is wise", agent="rain")
    assert texts(ada, "umbrella") == ["An umbrella is wise"]


def test_what_agents_say_to_each_other_is_not_found(room, ada):
    make_agent("rain")
    room.said("An umbrella, between us", agent="rain", inner=True)
    assert texts(ada, "umbrella") == []


def test_the_newest_come_first_and_in_pages(room, ada):
    said = [room.said(f"umbrella number {number}", ada).text for number in range(7)][::-1]
    seen, before = [], ""
    while True:
        page = search(ada, "umbrella", before, 3)
        seen += [found.message.text for found in page.rows]
        before = page.before
        if not before:
            break
    assert seen == said


def test_the_last_word_may_be_unfinished(room, ada):
    room.said("Take an umbrella", ada)
    assert texts(ada, "take umbr") == ["Take an umbrella"]
    assert texts(ada, "tak umbrella") == []


def test_a_phrase_in_quotes_is_found_as_it_is(room, ada):
    room.said("a red umbrella", ada)
    room.said("an umbrella, red", ada)
    assert texts(ada, '"red umbrella"') == ["a red umbrella"]
    assert texts(ada, '"red umbr"') == []


@pytest.mark.parametrize("language", ["Зонт для Осло", "Größe und Maß", "傘 持って 行く", "مظلة حمراء"])
def test_every_language_is_found(room, ada, language):
    room.said(language, ada)
    for word in language.split():
        assert texts(ada, word.lower()) == [language]


def test_names_with_punctuation_are_words(room, ada):
    room.said("See https://example.org/weather/oslo.html or write_to ada@example.org", ada)
    for query in ("weather", "oslo.html", "example.org/weather", "ada@example.org", "write_to"):
        assert len(texts(ada, query)) == 1, query


@pytest.mark.parametrize("query", ["", "   ", '"', '""', "***", "& | !", "'", "\\", "\x00", "(", ":*", "NEAR(", "…"])
def test_what_has_no_words_finds_nothing(room, ada, query):
    room.said("Take an umbrella", ada)
    assert texts(ada, query) == []


@pytest.mark.parametrize("query", ["AND", "umbrella OR", "NOT umbrella", "text:umbrella", "x" * 5000, "a " * 5000])
def test_no_query_breaks_it(room, ada, query):
    room.said("Take an umbrella", ada)
    assert texts(ada, query) == []


def test_what_is_somebody_elses_is_not_found(room, ada, mallory):
    room.said("Ada's umbrella", ada)
    Room(mallory, agents=()).said("Mallory's umbrella", mallory)
    assert texts(mallory, "umbrella") == ["Mallory's umbrella"]
    assert texts(ada, "umbrella") == ["Ada's umbrella"]


def test_the_name_of_a_room_opens_nothing(room, ada, mallory):
    room.said("Ada's umbrella", ada)
    Room(mallory, agents=())
    assert texts(mallory, room.id.hex) == texts(mallory, f"umbrella #{room.id.hex}") == []


def test_who_has_left_finds_nothing_any_more(room, ada):
    room.said("Ada's umbrella", ada)
    room.seats[0].delete()
    assert texts(ada, "umbrella") == []


def test_a_deleted_conversation_is_gone(room, ada):
    room.said("Ada's umbrella", ada)
    _delete_rows(room.id)
    assert texts(ada, "umbrella") == []
    assert _rows() == 0


def test_an_answer_is_found_when_it_is_complete(room, ada):
    message = room.said("Take an umb", state=Message.State.STREAMING)
    Message.objects.filter(id=message.id).update(text="Take an umbrella")
    assert texts(ada, "umbrella") == []
    Message.objects.filter(id=message.id).update(text="Take an umbrella, Ada", state=Message.State.COMPLETE)
    assert texts(ada, "umbrella") == ["Take an umbrella, Ada"]


def test_a_message_that_changes_is_found_by_its_new_words(room, ada):
    message = room.said("Take an umbrella", ada)
    Message.objects.filter(id=message.id).update(text="Take a coat")
    assert (texts(ada, "umbrella"), texts(ada, "coat")) == ([], ["Take a coat"])
    Message.objects.filter(id=message.id).update(text="", state=Message.State.FAILED)
    assert (texts(ada, "coat"), _rows()) == ([], 0)


def test_a_message_may_change_and_go_before_anybody_searches(room, ada):
    changed, gone, unsaid = (room.said("Take an umbrella", ada) for _ in range(3))
    Message.objects.filter(id=changed.id).update(text="Take a coat")
    Message.objects.filter(id=gone.id).delete()
    Message.objects.filter(id=unsaid.id).update(text="", state=Message.State.FAILED)
    assert (texts(ada, "umbrella"), texts(ada, "coat"), _rows()) == ([], ["Take a coat"], 1)


def test_the_newest_of_the_index_may_change_while_others_await(room, ada):
    first, second = room.said("umbrella one", ada), room.said("umbrella two", ada)
    assert texts(ada, "umbrella") == ["umbrella two", "umbrella one"]
    room.said("umbrella three", ada)
    Message.objects.filter(id=second.id).update(text="umbrella 2")
    Message.objects.filter(id=first.id).update(text="umbrella 1")
    assert texts(ada, "umbrella") == ["umbrella three", "umbrella 2", "umbrella 1"]
    assert texts(ada, "two") == texts(ada, "one") == []


@pytest.mark.sqlite  # PostgreSQL has each message in its index at once
def test_so_many_messages_go_into_the_index_by_themselves(room, ada):
    for number in range(sqlite.TOGETHER):
        room.said(f"umbrella {number}", ada)
    sqlite.await_more(sqlite.TOGETHER - 1)
    before = _indexed()
    sqlite.await_more(1)
    assert (before, _indexed()) == (0, sqlite.TOGETHER)


@pytest.mark.sqlite  # PostgreSQL has each message in its index at once
def test_an_older_database_lets_messages_await_each_other_from_now_on(room, ada):
    with connection.cursor() as cursor:
        for name in ("awaits", "awaits_end", "is_changed", "is_unsaid", "is_deleted"):
            cursor.execute(f"DROP TRIGGER chat_found_{name}")
        cursor.execute(
            "CREATE TRIGGER chat_found_created AFTER INSERT ON agents_app_message BEGIN "
            "INSERT INTO chat_found (message_id, context_id) VALUES (new.id, new.context_id); "
            "INSERT INTO chat_found_words (rowid, text, room) "
            "SELECT id, new.text, context_id FROM chat_found WHERE message_id = new.id; END"
        )
    room.said("the first umbrella", ada)
    keep_search_tables()
    room.said("the second umbrella", ada)
    assert _indexed() == 1
    assert texts(ada, "umbrella") == ["the second umbrella", "the first umbrella"]


def test_what_was_said_before_there_was_a_search_is_found(room, ada):
    room.said("Take an umbrella", ada)
    for statement in _undo():
        with connection.cursor() as cursor:
            cursor.execute(statement)
    room.said("Take a second umbrella", ada)
    keep_search_tables()
    assert texts(ada, "umbrella") == ["Take a second umbrella", "Take an umbrella"]
    room.said("Take a third umbrella", ada)
    assert len(texts(ada, "umbrella")) == 3


@pytest.mark.parametrize("before", ["yesterday", "-1", "9" * 30, "\x00"])
def test_unknown_cursor_is_refused(room, ada, before):
    with pytest.raises(BadCursor):
        search(ada, "umbrella", before, 20)


@pytest.fixture(autouse=True)
def nothing_awaits(monkeypatch):
    monkeypatch.setattr(sqlite, "_awaiting", 0)


def _indexed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM chat_found_words_docsize")
        return int(cursor.fetchone()[0])


def _rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM chat_found")
        return cursor.fetchone()[0]


def _undo() -> list[str]:
    if connection.vendor == "postgresql":
        names = ["created", "changed", "deleted"]
        return [*(f"DROP TRIGGER chat_found_{name} ON agents_app_message" for name in names), "DROP TABLE chat_found"]
    names = ["awaits", "awaits_end", "is_changed", "is_unsaid", "is_deleted"]
    triggers = [f"DROP TRIGGER chat_found_{name}" for name in names]
    return [*triggers, "DROP TABLE chat_found", "DROP TABLE chat_found_words"]
