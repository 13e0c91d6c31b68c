from __future__ import annotations

import pytest

from chat.tests.api_client import Program, token_of
from chat.tests.room import Room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def program(ada) -> Program:
    return Program(token_of(ada))


@pytest.fixture
def said(ada) -> list:
    room = Room(ada, agents=(), title="Weather")
    return [room.said(f"umbrella <b>{number}</b>", ada) for number in range(3)]


async def test_it_works(program, said, ada):
    status, found = await program.call("GET", "/search", query_params={"q": "umb", "limit": 2})
    assert status == 200
    assert [one["message"] for one in found["messages"]] == [str(said[2].id), str(said[1].id)]
    first = found["messages"][0]
    assert (first["title"], first["username"], first["seq"]) == ("Weather", "ada", said[2].seq)
    assert first["excerpt"] == "<mark>umbrella</mark> &lt;b 2&lt;/b"
    before = found["before"]
    _, rest = await program.call("GET", "/search", query_params={"q": "umb", "limit": 2, "before": before})
    assert [one["message"] for one in rest["messages"]] == [str(said[0].id)]
    assert rest["before"] == ""


async def test_what_is_somebody_elses_is_not_found(said, mallory):
    outsider = Program(token_of(mallory))
    assert (await outsider.call("GET", "/search", query_params={"q": "umbrella"}))[1] == {"messages": [], "before": ""}


async def test_nobody_searches_unnamed():
    assert await Program().refused("GET", "/search", query_params={"q": "umbrella"}) == (401, "unauthenticated")


@pytest.mark.parametrize("values", [{}, {"q": "x" * 201}, {"q": "x", "limit": 0}])
async def test_bad_questions_are_refused(program, values):
    status, _code = await program.refused("GET", "/search", query_params=values)
    assert status in (400, 422)


async def test_unknown_cursor_is_refused(program, said):
    values = {"q": "umbrella", "before": "yesterday"}
    assert await program.refused("GET", "/search", query_params=values) == (400, "bad_cursor")


async def test_unread_messages_are_counted(program, said):
    _, page = await program.call("GET", "/conversations")
    assert [(room["unread"], room["unread_count"]) for room in page["conversations"]] == [(True, 3)]
