"""The card of the brake, on the socket, in the REST API and as HTML."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from agents_app.actions.tasks import cancel_task, decide
from agents_app.ids import uuid7
from agents_app.models import Step, Task
from agents_app.runtime.brake import BUDGET, Choice
from agents_app.threads import in_thread
from chat.loading import load_messages
from chat.rendering import message_html

from .api_client import Program, token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brief(settings: Any) -> None:
    settings.AGENTS_TURN_SECONDS = 0.3


@pytest.fixture
def slow(agent: Any, brief: None) -> str:
    """An agent that is too slow the first time."""
    runs = []

    async def respond(turn: Any) -> None:
        runs.append(turn)
        await turn.say("Well, ")
        if len(runs) == 1:
            await asyncio.sleep(60)
        await turn.say("here it is.")

    return agent(respond)


async def asked(browser: Any, conversation: Any) -> dict[str, Any]:
    """The frame with the card."""
    await browser.open(conversation)
    await browser.post(conversation, "go")
    card = await browser.until("tool.started")
    await browser.until("task.changed", state="input-required")
    return card


async def html_of(message_id: str) -> str:
    return await in_thread(lambda: message_html(load_messages([UUID(message_id)])[0]))


async def test_it_works(ada, tab, slow, room):
    conversation = await room(slow)
    browser = await tab(ada)
    card = await asked(browser, conversation)
    assert "The time of this request is used up." in card["html"] and "Go on" in card["html"]
    task = await Task.objects.aget()
    await browser.send("task.decide", task=task.id, choice="go-on")
    assert (await browser.until("task.decided", task=str(task.id)))["choice"] == "go-on"
    chosen = await browser.until("tool.finished", step=card["step"])
    assert "was chosen" in chosen["html"] and "<button" not in chosen["html"]
    done = await browser.until("message.changed", id=card["message"])
    while 'data-state="complete"' not in done["html"]:
        done = await browser.until("message.changed", id=card["message"])
    assert "Well, here it is." in done["html"] and "was chosen" in done["html"]


async def test_who_opens_the_page_later_sees_the_card_in_the_answer(ada, tab, slow, room):
    conversation = await room(slow)
    card = await asked(await tab(ada), conversation)
    html = await html_of(card["message"])
    assert html.index("Well,") < html.index("brake-title") < html.index('class="tail"')


async def test_a_card_whose_task_was_stopped_has_no_buttons(ada, tab, slow, room):
    card = await asked(await tab(ada), await room(slow))
    await cancel_task(await Task.objects.aget())
    html = await html_of(card["message"])
    assert "It was stopped." in html and "brake#decide" not in html


async def test_a_choice_nobody_knows_is_a_bad_frame(ada, tab, slow, room):
    browser = await tab(ada)
    await asked(browser, await room(slow))
    await browser.send("task.decide", task=(await Task.objects.aget()).id, choice="perhaps")
    assert (await browser.until("frame.refused"))["code"] == "bad-field"


async def test_who_may_not_see_the_task_may_not_decide(ada, mallory, tab, slow, room):
    await asked(await tab(ada), await room(slow))
    stranger = await tab(mallory)
    await stranger.send("task.decide", task=(await Task.objects.aget()).id, choice="end")
    assert (await stranger.until("frame.refused"))["code"] == "not-found"


async def test_a_second_decision_is_refused(ada, tab, slow, room):
    browser = await tab(ada)
    await asked(browser, await room(slow))
    task = await Task.objects.aget()
    await decide(task, Choice.GO_ON)
    await browser.send("task.decide", task=task.id, choice="end")
    refused = await browser.until("frame.refused", frame="task.decide")
    assert (refused["code"], refused["task"]) == ("refused", str(task.id))


async def test_words_in_the_chat_decide_too(ada, tab, slow, room):
    conversation = await room(slow)
    browser = await tab(ada)
    await asked(browser, conversation)
    await browser.post(conversation, "@tester answer now")
    await browser.until("task.changed", state="completed")
    assert (await Step.objects.aget(name=BUDGET)).data["choice"] == "answer"


async def test_other_words_are_a_message_like_any_other(ada, tab, slow, room):
    conversation = await room(slow)
    browser = await tab(ada)
    await asked(browser, conversation)
    await browser.post(conversation, "@tester something else")
    await browser.until("task.changed", state="completed")
    states = [task.state async for task in Task.objects.order_by("id")]
    assert states == ["input-required", "completed"]


async def test_the_api_says_what_may_be_decided_and_takes_the_decision(ada, tab, slow, room):
    await asked(await tab(ada), await room(slow))
    task = await Task.objects.aget()
    program = Program(await in_thread(token_of, ada))
    decide_here = f"/tasks/{task.id}/decide"
    assert (await program.call("GET", f"/tasks/{task.id}"))[1]["choices"] == ["go-on", "answer", "end"]
    assert (await program.refused("POST", decide_here, {"choice": "perhaps"})) == (422, "invalid")
    status, shown = await program.call("POST", decide_here, {"choice": "end"})
    assert (status, shown["choices"]) == (200, [])
    assert (await program.refused("POST", decide_here, {"choice": "end"})) == (409, "conflict")
    assert (await program.refused("POST", f"/tasks/{uuid7()}/decide", {"choice": "end"})) == (404, "not_found")
