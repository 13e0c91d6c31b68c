"""The browser's WebSocket: real consumers, a real journal, transactions that commit."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.contrib.auth.models import AnonymousUser

from agents_app import runtime
from agents_app.ids import uuid7
from agents_app.models import Message, Task
from chat import broadcast
from chat.actions.conversations import add_person, create_conversation, delete_conversation, remove_participant
from chat.models import Participant

from .conftest import settled

pytestmark = pytest.mark.django_db(transaction=True)


async def greet(turn):
    await turn.say("Hello ")
    await turn.say("there.")


async def test_it_works(ada, tab, agent, room):
    seen = asyncio.Event()

    async def greet(turn):
        await turn.say("Hello ")
        await seen.wait()
        await turn.say("there.")

    conversation = await room(agent(greet))
    browser = await tab(ada)
    opened = await browser.open(conversation)
    assert (opened["seq"], opened["reset"]) == (1, False)
    client_id = await browser.post(conversation, "hi")
    mine = await browser.until("message.created", client_id=str(client_id))
    assert "hi" in mine["html"] and f'id="message-{mine["id"]}"' in mine["html"]
    answer = await browser.until("message.created", client_id=None)
    assert 'data-state="streaming"' in answer["html"]
    seen.set()
    done = await browser.until("message.changed", id=answer["id"])
    assert "Hello there." in done["html"] and 'data-state="complete"' in done["html"]
    await browser.until("task.changed", state="completed")


async def test_who_opens_a_conversation_waits_for_nothing_that_is_told_to_others(ada, tab, agent, room, monkeypatch):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser.open(conversation)
    may_tell, read = asyncio.Event(), broadcast.read

    async def read_late(load, *args):
        if load is broadcast.load_news:
            await may_tell.wait()
        return await read(load, *args)

    monkeypatch.setattr(broadcast, "read", read_late)
    await browser.post(conversation, "hi")
    other = await tab(ada)
    await other.open(conversation)
    may_tell.set()
    for page in (browser, other):
        await page.until("task.changed", state="completed")


async def test_everything_numbered_arrives_in_order_and_without_a_gap(ada, tab, agent, room):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser.open(conversation)
    for number in range(5):
        await browser.post(conversation, f"message {number}")
    finished = 0
    while finished < 5:
        finished += (await browser.next()).get("state") == "completed"
    numbers = [frame["seq"] for frame in browser.frames if "seq" in frame and frame["type"] != "conversation.opened"]
    assert sorted(set(numbers)) == list(range(2, max(numbers) + 1))
    assert numbers == sorted(numbers)


async def test_a_message_that_is_sent_twice_is_stored_once_and_answered_once(ada, tab, agent, room):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser.open(conversation)
    client_id = await browser.post(conversation, "hi")
    await browser.post(conversation, "hi", client_id)
    first = await browser.until("message.saved")
    second = await browser.until("message.saved")
    assert first["id"] == second["id"]
    await browser.until("task.changed", state="completed")
    assert await Task.objects.acount() == 1


async def test_pieces_arrive_while_the_agent_speaks_and_join_to_its_text(ada, tab, agent, room):
    words = [f"word{number} " for number in range(200)]

    async def talk(turn):
        for word in words:
            await turn.say(word)
            await asyncio.sleep(0.003)

    conversation = await room(agent(talk))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "talk")
    created = await browser.until("message.created", client_id=None)
    done = await browser.until("message.changed", id=created["id"])
    streamed = text_of(created["html"], created["id"], browser.frames)
    assert "".join(words).startswith(streamed) and len(streamed) > 500
    assert "".join(words).strip() in done["html"]  # what was still gathered comes with the end
    assert sum(frame["type"] == "message.streamed" for frame in browser.frames) > 3


def text_of(html: str, message_id: str, frames: list[dict]) -> str:
    """What a browser has of a streaming message: the tail of its first frame, and the pieces behind it."""
    text = re.search(r'<p class="tail"[^>]*>(.*?)</p>', html, re.DOTALL)[1]
    for frame in frames:
        if frame["type"] == "message.streamed" and frame["message"] == message_id:
            assert frame["offset"] == len(text), "a gap or a double piece"
            text += frame["text"]
    return text


async def test_a_second_tab_that_comes_in_the_middle_has_the_whole_text(ada, tab, agent, room):
    half = asyncio.Event()

    async def talk(turn):
        for number in range(100):
            await turn.say(f"{number}, ")
            await asyncio.sleep(0.003)
            if number == 40:
                half.set()

    conversation = await room(agent(talk))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "count")
    await half.wait()
    late = await tab(ada)
    await late.open(conversation)
    shown = [frame for frame in late.frames if frame["type"] == "message.changed"][-1]
    await late.until("task.changed", state="completed")
    streamed, whole = text_of(shown["html"], shown["id"], late.frames), "".join(f"{number}, " for number in range(100))
    assert whole.startswith(streamed) and "60, " in streamed


async def test_who_was_away_gets_what_was_missed(ada, tab, agent, room):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    opened = await browser.open(conversation)
    await browser.leave()
    other = await tab(ada)
    await other.open(conversation)
    client_id = await other.post(conversation, "while you were away")
    await other.until("task.changed", state="completed")
    back = await tab(ada)
    await back.open(conversation, after=opened["seq"])
    created = [frame for frame in back.frames if frame["type"] == "message.created"]
    assert [frame["client_id"] for frame in created] == [str(client_id), None]
    assert "Hello there." in created[1]["html"]


async def test_a_tool_call_is_shown_behind_the_words_before_it(ada, tab, agent, room):
    from agents_app.base import ToolResult, tool

    @tool
    async def count(turn, number: int) -> ToolResult:
        """Count."""
        return ToolResult("three")

    async def work(turn):
        await turn.say("Let me count. ")
        await turn.use(count, number=3)
        await turn.say("Done.")

    conversation = await room(agent(work))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "count")
    await browser.until("tool.started")
    finished = await browser.until("tool.finished")
    assert "three" in finished["html"] and f'id="step-{finished["step"]}"' in finished["html"]
    done = await browser.until("message.changed")
    body = done["html"]
    assert body.index("Let me count.") < body.index("step-") < body.index("Done.")


async def test_stop_stops(ada, tab, agent, room):
    async def talk(turn):
        await turn.say("and on ")
        await asyncio.sleep(60)

    conversation = await room(agent(talk))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "talk")
    working = await browser.until("task.changed", state="working")
    await browser.until("message.created", client_id=None)
    await browser.send("task.cancel", task=working["task"])
    await browser.until("message.changed")
    await browser.until("task.changed", state="canceled")


async def test_a_failed_answer_can_be_tried_again(ada, tab, agent, room):
    fail = [True]

    async def moody(turn):
        if fail.pop() if fail else False:
            await turn.fail("Not now.")
        await turn.say("All right.")

    conversation = await room(agent(moody))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "please")
    failed = await browser.until("message.created", client_id=None)
    assert "Not now." in failed["html"]
    await browser.until("task.changed", state="failed")
    await browser.send("message.retry", message=failed["id"])
    await browser.until("task.changed", state="completed")
    assert "All right." in [frame for frame in browser.frames if frame["type"] == "message.changed"][-1]["html"]


async def test_an_answer_to_a_question_goes_on_with_the_same_task(ada, tab, agent, room):
    async def survey(turn):
        name = await turn.ask("Your name?")
        await turn.say(f"Hello {name.text}.")

    conversation = await room(agent(survey))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "go")
    await browser.until("task.changed", state="input-required")
    await browser.post(conversation, "Ada")
    await browser.until("task.changed", state="completed")
    assert await Task.objects.acount() == 1
    assert (await Message.objects.order_by("-seq").afirst()).text == "Hello Ada."


async def test_two_people_see_the_same(ada, mallory, tab, agent, room):
    conversation = await room(agent(greet))
    await add_person(conversation, mallory)
    hers, his = await tab(ada), await tab(mallory)
    await hers.open(conversation)
    await his.open(conversation)
    await hers.post(conversation, "hello both")
    one = await hers.until("message.created")
    two = await his.until("message.created")
    assert one == two


@pytest.mark.parametrize(
    ("type", "field"), [("conversation.open", "id"), ("message.post", "conversation"), ("conversation.read", "id")]
)
async def test_a_foreign_conversation_does_not_exist(ada, mallory, tab, agent, room, type, field):
    conversation = await room(agent(greet))
    stranger = await tab(mallory)
    await stranger.send(type, **{field: conversation.id}, after=None, client_id=uuid7(), text="let me in", seq=1)
    refused = [await stranger.next() for _ in range(2)][-1]
    assert refused["type"] in ("frame.refused", "message.refused")
    assert "not part of it" in refused["error"]
    assert await Message.objects.acount() == 0


async def test_foreign_tasks_and_messages_do_not_exist(ada, mallory, tab, agent, room):
    async def wait(turn):
        await turn.say("working")
        await asyncio.sleep(60)

    conversation = await room(agent(wait))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "go")
    answer = await browser.until("message.created", client_id=None)
    task = await Task.objects.aget()
    stranger = await tab(mallory)
    await stranger.send("task.cancel", task=task.id)
    await stranger.until("frame.refused", code="not-found")
    await stranger.send("message.retry", message=answer["id"])
    await stranger.until("frame.refused", code="not-found")
    assert (await Task.objects.aget()).state == "working"


async def test_who_is_removed_hears_nothing_more(ada, mallory, tab, agent, room):
    conversation = await room(agent(greet))
    await add_person(conversation, mallory)
    his = await tab(mallory)
    await his.open(conversation)
    participant = await Participant.objects.aget(user=mallory)
    await remove_participant(conversation, participant)
    await his.until("conversation.left", id=str(conversation.id))
    hers = await tab(ada)
    await hers.open(conversation)
    await hers.post(conversation, "alone again")
    await hers.until("task.changed", state="completed")
    assert await his.silent()


async def test_without_a_session_the_socket_closes_with_a_reason(tab, transactional_db):
    assert await (await tab(AnonymousUser())).closed() == 4401


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", "null", '{"type": "nonsense"}', '{"type": "task.cancel"}', "[" * 9999]
)
async def test_a_bad_frame_gets_a_clear_error_and_the_socket_lives_on(ada, tab, text, agent, room):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser._socket.send_input({"type": "websocket.receive", "text": text})
    assert (await browser.until("frame.refused"))["error"]
    await browser.open(conversation)


@pytest.mark.parametrize("text", ["", "   ", "x" * 100_001, "nul \x00 character", "half a \ud800 character"])
async def test_a_message_nobody_can_save_is_refused_by_its_number(ada, tab, agent, room, text):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    client_id = await browser.post(conversation, text)
    refused = await browser.until("message.refused", client_id=str(client_id))
    assert refused["error"] and refused["retry"] is False


async def test_the_largest_message_is_taken(ada, tab, agent, room):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "ä" * 100_000)
    await browser.until("message.saved")


async def test_a_deleted_conversation_goes_from_every_tab(ada, tab, agent, room):
    async def wait(turn):
        await asyncio.sleep(60)

    conversation = await room(agent(wait))
    browser = await tab(ada)
    await browser.open(conversation)
    await browser.post(conversation, "go")
    await browser.until("task.changed", state="working")
    id = conversation.id
    await delete_conversation(conversation)
    await browser.until("conversation.deleted", id=str(id))
    await settled(_nothing_runs)
    assert await Message.objects.acount() == await Task.objects.acount() == 0


async def _nothing_runs() -> bool:
    return not runtime.current().queue.running()


async def test_another_tab_sees_a_new_conversation_come_to_the_top(ada, tab, agent, room):
    id = agent(greet)
    browser = await tab(ada)
    conversation = await create_conversation(ada, [id])
    touched = await browser.until("conversation.touched")
    assert touched["id"] == str(conversation.id) and str(conversation.id) in touched["html"]


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000])
async def test_what_is_no_trace_does_no_harm(ada, tab, agent, room, traceparent):
    conversation = await room(agent(greet))
    browser = await tab(ada)
    await browser.open(conversation)
    client_id = str(uuid7())
    await browser.send(
        "message.post", conversation=conversation.id, client_id=client_id, text="hi", traceparent=traceparent
    )
    await browser.send("message.time", traceparent=traceparent, milliseconds=2**62)
    assert (await browser.until("message.saved"))["client_id"] == client_id
    assert (await Task.objects.aget()).traceparent == ""
