from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from chat.actions.conversations import add_person
from chat.tests.api_client import Program, token_of


@pytest.fixture
def program(transactional_db, ada) -> Program:
    return Program(token_of(ada))


@pytest.fixture
def outsider(transactional_db, mallory) -> Program:
    return Program(token_of(mallory))


@pytest.fixture
def tester(agent) -> str:
    async def respond(turn):
        await turn.say("Hello.")

    return agent(respond)


async def test_it_works(program, tester):
    status, made = await program.call("POST", "/conversations", {"agents": [tester], "title": "Holidays"})
    assert status == 201
    assert made["title"] == "Holidays"
    assert {person["name"] for person in made["participants"]} == {"Tester", "Ada"}

    path = f"/conversations/{made['id']}"
    assert (await program.call("PATCH", path, {"title": "Winter"}))[1]["title"] == "Winter"
    assert (await program.call("GET", path))[1]["title"] == "Winter"
    assert [each["id"] for each in (await program.call("GET", "/conversations"))[1]["conversations"]] == [made["id"]]
    assert await program.call("DELETE", path) == (204, None)
    assert await program.refused("GET", path) == (404, "not_found")


async def test_without_agents_named_all_come(program, tester):
    _, made = await program.call("POST", "/conversations", {})
    assert tester in [person["agent"] for person in made["participants"]]


async def test_list_goes_page_by_page(program, room, tester):
    made = [str((await room(tester)).id) for _ in range(5)]
    seen, before = [], ""
    while True:
        _, page = await program.call("GET", "/conversations", query_params={"limit": 2, "before": before})
        seen += [each["id"] for each in page["conversations"]]
        before = page["before"]
        if not before:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("before", ["yesterday", "5_5", "2026-01-01\x00", f"0001-01-01T00:00:00+14:00_{UUID(int=7)}"])
async def test_unknown_cursor_is_refused(program, before):
    assert await program.refused("GET", "/conversations", query_params={"before": before}) == (400, "bad_cursor")


@pytest.mark.parametrize("limit", ["0", "501", "many"])
async def test_wrong_limit_is_refused(program, limit):
    assert await program.refused("GET", "/conversations", query_params={"limit": limit}) == (422, "invalid")


async def test_unknown_agent_is_refused(program):
    assert await program.refused("POST", "/conversations", {"agents": ["nobody"]}) == (400, "bad_conversation")


@pytest.mark.parametrize("body", [{"agents": "chloe"}, {"agents": ["no\u0000body"]}, {"titel": "A typing mistake"}])
async def test_bad_input_is_refused(program, body):
    assert await program.refused("POST", "/conversations", body) == (422, "invalid")


async def test_error_names_the_field(program):
    _, answer = await program.call("POST", "/conversations", {"titel": "A typing mistake"})
    assert answer["error"]["message"].startswith("titel: ")


async def test_body_that_is_no_json_is_refused(program):
    assert await program.refused("POST", "/conversations", "{") == (400, "bad_request")


async def test_empty_name_is_refused(program, room):
    path = f"/conversations/{(await room()).id}"
    assert await program.refused("PATCH", path, {"title": " "}) == (400, "bad_conversation")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"title": "Mine now"}),
        ("DELETE", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"text": "Hello."}),
        ("POST", "/participants", {"username": "mallory"}),
    ],
)
async def test_outsiders_find_nothing(outsider, room, method, path, body):
    conversation = await room()
    assert await outsider.refused(method, f"/conversations/{conversation.id}{path}", body) == (404, "not_found")
    assert await outsider.refused(method, f"/conversations/{uuid4()}{path}", body) == (404, "not_found")


async def test_agents_and_people_come_and_go(program, outsider, room, tester):
    conversation = await room()
    path = f"/conversations/{conversation.id}"
    status, agent = await program.call("POST", f"{path}/participants", {"agent": tester})
    assert (status, agent["agent"]) == (201, tester)
    _, person = await program.call("POST", f"{path}/participants", {"username": "mallory"})
    assert (await outsider.call("GET", path))[0] == 200
    assert await program.call("DELETE", f"{path}/participants/{agent['id']}") == (204, None)
    assert await program.call("DELETE", f"{path}/participants/{person['id']}") == (204, None)
    assert await outsider.refused("GET", path) == (404, "not_found")
    assert len((await program.call("GET", path))[1]["participants"]) == 1


async def test_nobody_comes_twice(program, room, tester):
    path = f"/conversations/{(await room(tester)).id}/participants"
    assert await program.refused("POST", path, {"agent": tester}) == (400, "bad_conversation")


@pytest.mark.parametrize("body", [{"agent": "nobody"}, {"username": "nobody"}])
async def test_unknown_participants_are_not_found(program, room, body):
    path = f"/conversations/{(await room()).id}/participants"
    assert await program.refused("POST", path, body) == (404, "not_found")


@pytest.mark.parametrize("body", [{}, {"agent": "tester", "username": "ada"}])
async def test_participant_is_an_agent_or_a_person(program, room, body):
    path = f"/conversations/{(await room()).id}/participants"
    assert await program.refused("POST", path, body) == (422, "invalid")


async def test_participants_are_removed_where_they_are(program, room, mallory):
    here, there = await room(), await room()
    seat = await add_person(there, mallory)
    path = f"/conversations/{here.id}/participants/{seat.id}"
    assert await program.refused("DELETE", path) == (404, "not_found")


async def test_only_who_began_it_and_administrators_delete_it(program, outsider, tester, ada, mallory, grace):
    path = f"/conversations/{(await program.call('POST', '/conversations', {'agents': [tester]}))[1]['id']}"
    for person in ("mallory", "grace"):
        await program.call("POST", f"{path}/participants", {"username": person})
    assert await outsider.refused("DELETE", path) == (403, "forbidden")
    assert (await program.call("GET", path))[0] == 200
    assert await Program(token_of(grace)).call("DELETE", path) == (204, None)


async def test_others_leave_it_and_it_stays(program, outsider, tester, mallory):
    path = f"/conversations/{(await program.call('POST', '/conversations', {'agents': [tester]}))[1]['id']}"
    await program.call("POST", f"{path}/participants", {"username": "mallory"})
    assert await outsider.call("POST", f"{path}/leave") == (204, None)
    assert await outsider.refused("GET", path) == (404, "not_found")
    assert await outsider.refused("POST", f"{path}/leave") == (404, "not_found")
    assert (await program.call("GET", path))[0] == 200
