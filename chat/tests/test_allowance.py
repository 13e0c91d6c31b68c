from __future__ import annotations

import pytest

from agents_app import allowance
from agents_app.allowance import used_today
from agents_app.models import Message, Task
from agents_app.threads import in_thread
from chat.tests.api_client import Program, token_of


@pytest.fixture(autouse=True)
def nobody_is_known():
    allowance.forget()


@pytest.fixture
async def page(transactional_db, room, agent, tab, ada):
    """Ada's tab, and a conversation with an agent that answers at once."""
    conversation = await room(agent(lambda turn: turn.say("Yes.")))
    page = await tab(ada)
    await page.open(conversation)
    return page, conversation


async def post(page, text):
    tab, conversation = page
    client_id = str(await tab.post(conversation, text))
    while True:
        frame = await tab.next()
        if frame["type"] in ("message.saved", "message.refused") and frame["client_id"] == client_id:
            return frame


async def test_it_works(page, settings):
    settings.DAILY_MESSAGES = 2

    answers = [await post(page, word) for word in ("one", "two", "three")]

    assert [answer["type"] for answer in answers] == ["message.saved", "message.saved", "message.refused"]
    assert "all 2 messages of today" in answers[-1]["error"] and answers[-1]["retry"] is False
    assert await Message.objects.filter(text="three").acount() == 0


async def test_without_limits_there_are_none(page):
    assert [(await post(page, word))["type"] for word in ("one", "two")] == ["message.saved"] * 2


@pytest.mark.parametrize(
    ("limit", "words"), [({"DAILY_TOKENS": 100}, "all 100 tokens"), ({"DAILY_PRICE": 0.5}, "all $0.50 of today")]
)
async def test_tokens_and_money_count_when_an_answer_has_used_them(page, ada, settings, limit, words):
    for name, value in limit.items():
        setattr(settings, name, value)
    assert (await post(page, "one"))["type"] == "message.saved"
    await page[0].until("task.changed", state="completed")
    usage = {"input_tokens": 90, "output_tokens": 10, "price": 0.5}
    await Message.objects.filter(role=Message.Role.AGENT).aupdate(usage=usage)

    refused = await post(page, "two")

    assert refused["type"] == "message.refused" and words in refused["error"]
    assert (await in_thread(used_today, ada.id)).tokens == 100


async def test_a_person_may_have_a_limit_of_their_own(page, ada, settings):
    settings.DAILY_MESSAGES = 1
    ada.daily_messages = 0
    await ada.asave()

    assert [(await post(page, word))["type"] for word in ("one", "two", "three")] == ["message.saved"] * 3


async def test_what_an_agent_asks_can_always_be_answered(transactional_db, room, agent, tab, ada, settings):
    settings.DAILY_MESSAGES = 1

    async def ask(turn):
        await turn.say((await turn.ask("Which?")).text)

    conversation = await room(agent(ask))
    tab = await tab(ada)
    await tab.open(conversation)
    await post((tab, conversation), "one")
    await tab.until("task.changed", state="input-required")

    assert (await post((tab, conversation), "That one."))["type"] == "message.saved"


async def test_the_api_says_when_there_is_more(page, ada, settings):
    settings.DAILY_MESSAGES = 1
    await post(page, "one")
    program = Program(token_of(ada))

    path = f"/conversations/{page[1].id}/messages"
    assert await program.refused("POST", path, {"text": "two"}) == (429, "allowance_spent")
    assert await Task.objects.acount() == 1
