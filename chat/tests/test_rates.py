from __future__ import annotations

import pytest

from chat.tests.api_client import Program, token_of


@pytest.fixture(autouse=True)
def within_one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents_app.rates.time", lambda: 1_800_000_001.0)


async def test_it_works(transactional_db, ada, settings):
    settings.RATE_PER_MINUTE_API = 1000
    program = Program(token_of(ada))

    assert (await program.call("GET", "/agents"))[0] == 200


async def test_a_program_that_calls_too_often_is_refused_and_told_when_to_come_again(transactional_db, ada, settings):
    settings.RATE_PER_MINUTE_API = 2
    program = Program(token_of(ada))
    for _ in range(3):
        await program.call("GET", "/agents")

    assert await program.refused("GET", "/agents") == (429, "too_many_requests")
    answer = await program.get("/agents")
    assert 1 <= int(answer["Retry-After"]) <= 60


async def test_two_people_do_not_share_a_limit(transactional_db, ada, mallory, settings):
    settings.RATE_PER_MINUTE_API = 2
    busy = Program(token_of(mallory))
    for _ in range(4):
        await busy.call("GET", "/agents")

    assert (await Program(token_of(ada)).call("GET", "/agents"))[0] == 200


async def test_messages_have_a_limit_of_their_own(transactional_db, room, agent, tab, ada, settings):
    settings.RATE_PER_MINUTE_MESSAGES = 1
    conversation = await room(agent(lambda turn: turn.say("Yes.")))
    page = await tab(ada)
    await page.open(conversation)
    for word in ("one", "two", "three"):
        last = await page.post(conversation, word)

    refused = await page.until("message.refused", client_id=str(last))

    assert "At most 1 a minute" in refused["error"] and refused["retry"] is False


async def test_a_message_that_is_sent_again_is_not_counted_again(transactional_db, room, agent, tab, ada, settings):
    settings.RATE_PER_MINUTE_MESSAGES = 1
    conversation = await room(agent(lambda turn: turn.say("Yes.")))
    page = await tab(ada)
    await page.open(conversation)
    first = await page.post(conversation, "one")
    await page.until("message.saved", client_id=str(first))

    for _ in range(3):
        await page.post(conversation, "one", first)
        await page.until("message.saved", client_id=str(first))


async def test_frames_have_a_limit(transactional_db, room, agent, tab, ada, settings):
    settings.RATE_PER_MINUTE_FRAMES = 2
    conversation = await room(agent(lambda turn: turn.say("Yes.")))
    page = await tab(ada)
    for _ in range(5):
        await page.send("conversation.close", id=conversation.id)

    assert (await page.until("frame.refused"))["code"] == "too-many"
