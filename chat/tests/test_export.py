from __future__ import annotations

import json

import pytest

from chat import export
from chat.tests.api_client import Program, token_of
from chat.tests.room import Room, make_agent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(ada, monkeypatch) -> Room:
    monkeypatch.setattr(export, "PAGE_SIZE", 2)
    make_agent("rain")
    room = Room(ada, agents=("rain",), title="Über Oslo / heute?")
    room.said("Is it **wet**?", ada)
    room.said("Between us", agent="rain", inner=True)
    room.said("It is.", agent="rain")
    room.said("", ada, parts=[{"url": f"attachment:{room.id}", "filename": "map.png"}, {"text": "See?"}])
    room.said("I see", agent="rain", state="stopped")
    return room


async def exported(user, room: Room, **values) -> tuple[str, str]:
    program = Program(token_of(user))
    response = await program.client.get(
        f"/api/v1/conversations/{room.id}/export", headers=program._headers, query_params=values
    )
    assert response.status_code == 200
    body = b"".join([piece async for piece in response.streaming_content]).decode()
    return response["Content-Disposition"], body


async def test_it_works(room, ada):
    disposition, text = await exported(ada, room)
    assert "%C3%9Cber-Oslo-heute.md" in disposition
    assert text.startswith("# Über Oslo / heute?\n\nWith ")
    assert "## Ada, 2026-06-04 09:42 UTC\n\nIs it **wet**?\n" in text
    assert "## Rain, 2026-06-04 09:44 UTC\n\nIt is.\n" in text
    assert "[map.png]\n\nSee?" in text
    assert text.endswith("I see\n\n*Stopped.*\n")
    assert "Between us" not in text


async def test_as_json_it_has_everything_people_read(room, ada):
    disposition, text = await exported(ada, room, format="json")
    whole = json.loads(text)
    assert disposition.endswith(".json")
    assert (whole["title"], whole["id"]) == ("Über Oslo / heute?", str(room.id))
    assert sorted(who["name"] for who in whole["participants"]) == ["Ada", "Rain"]
    assert [message["author"] for message in whole["messages"]] == ["Ada", "Rain", "Ada", "Rain"]
    assert whole["messages"][0]["parts"] == [{"text": "Is it **wet**?"}]


@pytest.fixture
def empty(ada) -> Room:
    return Room(ada, agents=())


async def test_an_empty_conversation_is_exported(empty, ada):
    _, text = await exported(ada, empty, format="json")
    assert json.loads(text)["messages"] == []


async def test_an_outsider_gets_nothing(room, mallory):
    outsider = Program(token_of(mallory))
    assert await outsider.refused("GET", f"/conversations/{room.id}/export") == (404, "not_found")


async def test_an_unknown_format_is_refused(room, ada):
    program = Program(token_of(ada))
    status, _ = await program.refused("GET", f"/conversations/{room.id}/export", query_params={"format": "docx"})
    assert status == 422


def test_the_page_exports_too(room, ada, mallory, client):
    client.force_login(ada)
    response = client.get(f"/c/{room.id}/export.md")
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    assert client.get(f"/c/{room.id}/export.docx").status_code == 404
    client.force_login(mallory)
    assert client.get(f"/c/{room.id}/export.md").status_code == 404
