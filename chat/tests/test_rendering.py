from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from agents_app.models import Message, Step
from chat.loading import load_messages, load_steps
from chat.markdown import StreamedText
from chat.models import Participant
from chat.rendering import (
    conversation_item_html,
    conversation_items,
    message_html,
    messages_html,
    participants_html,
    step_html,
)
from chat.tests.room import BEGIN, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(ada) -> Room:
    return Room(ada)


def html_of(message: Message, live_text: str | None = None) -> str:
    return message_html(load_messages([message.id])[0], live_text)


@pytest.fixture
def delegated(room, ada) -> Message:
    """Chloe's answer, in which she asked Phil, who looked at the weather."""
    task = room.task("chloe", room.said("@chloe what to wear?", ada), state="completed")
    answer = room.said("I ask Phil.\n\nA jacket.", agent="chloe", task=task)
    child = room.task("phil", answer, parent=task)
    child.request = room.said("How cold is it?", agent="chloe", role="user", inner=True, task=child)
    child.save()
    told = room.said("Four degrees.", agent="phil", inner=True, task=child)
    room.step(told, kind="tool", name="weather", data={"arguments": {"place": "Oslo"}, "text": "4 °C"})
    data = {"agent": "phil", "agent_name": "Phil Connors", "message": "How cold is it?", "state": "completed"}
    room.step(answer, kind="agent", name="Phil Connors", offset=13, child=child, data=data)
    return answer


def test_it_works(room, ada):
    html = html_of(room.said("Hello **all**", ada))
    assert "<p>Hello <strong>all</strong></p>" in html
    assert f'data-author="user:{ada.id}"' in html
    assert 'data-seq="1"' in html


def test_the_same_html_goes_to_every_reader(room, ada):
    assert "message-mine" not in html_of(room.said("Hello", ada))


def test_first_paint_marks_the_readers_own_messages_and_groups_an_authors(room, ada, mallory):
    ids = [room.said("One", ada).id, room.said("Two", ada).id, room.said("Three", agent="chloe").id]
    ids.append(room.said("Four", agent="chloe", created_at=BEGIN + timedelta(hours=1)).id)
    html = messages_html(load_messages(ids), ada)
    assert html.count("message-mine") == 2
    assert "message-mine" not in messages_html(load_messages(ids), mallory)
    assert ["data-grouped" in article for article in html.split("</article>")[:-1]] == [False, True, False, False]


def test_what_people_wrote_is_data_not_html(room, ada):
    ada.display_name = "<b>Ada</b>"
    ada.save()
    html = html_of(room.said("<script>alert(1)</script>", ada))
    assert "<script" not in html
    assert "<b>Ada" not in html


def test_a_tool_call_stands_where_it_happened(room, ada):
    task = room.task("chloe", room.said("Look", ada))
    message = room.said("Before. After.", agent="chloe", task=task)
    room.step(
        message, kind="tool", name="weather", offset=8, data={"arguments": {"place": "Oslo", "days": 2}, "text": "4 °C"}
    )
    html = html_of(message)
    assert html.index("Before.") < html.index("weather") < html.index("4 °C") < html.index("After.")
    assert "<dt>days</dt><dd>2</dd>" in html
    assert "1.0 s" in html


def test_a_delegation_holds_what_the_agents_said_to_each_other(delegated):
    html = html_of(delegated)
    assert re.search(r"Chloe</strong> asked <strong[^>]*>Phil Connors", html)
    order = ["I ask Phil.", "How cold is it?", "weather", "Four degrees.", "A jacket."]
    assert [html.index(part, html.index("message-body")) for part in order] == sorted(
        html.index(part, html.index("message-body")) for part in order
    )


def test_a_delegation_alone_looks_as_it_does_in_its_message(delegated):
    step = Step.objects.get(kind="agent")
    assert step_html(load_steps([step.id])[0]) in html_of(delegated)


def test_more_messages_take_no_more_queries(room, ada, delegated):
    few = [room.said("Hello", ada).id, delegated.id]
    with CaptureQueriesContext(
        connection,
    ) as with_few:
        load_messages(few)
    task = delegated.task
    many = [room.said("More", agent="chloe", task=task).id for _ in range(20)]
    for id in many:
        room.step(Message.objects.get(id=id), kind="tool", name="weather")
    with CaptureQueriesContext(connection) as with_many:
        loaded = load_messages(few + many)
    assert len(with_many) == len(with_few)
    with CaptureQueriesContext(connection) as while_rendering:
        messages_html(loaded, ada)
    assert len(while_rendering) == 0


def test_a_streaming_message_has_its_finished_blocks_and_an_open_tail(room, ada):
    message = room.said("", agent="chloe", state="streaming", task=room.task("chloe", room.said("Go", ada)))
    html = html_of(message, "# Title\n\nA paragraph\n\nnot **yet** & <here>")
    assert "<h1>Title</h1>" in html
    assert "<p>A paragraph</p>" in html
    start = len("# Title\n\nA paragraph\n")
    assert f'<p class="tail" data-offset="{start}">\nnot **yet** &amp; &lt;here&gt;</p>' in html


def test_the_tail_keeps_every_character_so_that_offsets_stay_true(room, ada):
    message = room.said("", agent="chloe", state="streaming", task=room.task("chloe", room.said("Go", ada)))
    assert "a&#13;\nb" in html_of(message, "a\r\nb"), "a browser would read \\r\\n as one character"


def test_the_tail_begins_behind_the_last_step(room, ada):
    task = room.task("chloe", room.said("Go", ada))
    message = room.said("Look 🦉.\n\nAnd", agent="chloe", state="streaming", task=task)
    room.step(message, kind="tool", name="weather", offset=9, finished_at=None)
    html = html_of(message)
    assert html.index("Look 🦉.") < html.index('data-state="running"') < html.index('data-offset="9">And</p>')


def test_whoever_follows_the_stream_and_whoever_comes_later_have_the_same_border(room, ada):
    message = room.said("", agent="chloe", state="streaming", task=room.task("chloe", room.said("Go", ada)))
    text = "- one\n- two\n\nThen\n\n```\ncode"
    stream = StreamedText()
    stream.feed(text)
    assert f'data-offset="{stream.tail_offset}">{escape(stream.tail)}</p>' in html_of(message, text)


@pytest.mark.parametrize(("state", "error"), [("failed", "The model is overloaded."), ("stopped", "")])
def test_an_answer_that_ended_badly_says_so_and_offers_another_try(room, ada, state, error):
    task = room.task("chloe", room.said("Go", ada))
    html = html_of(room.said("Half", agent="chloe", state=state, error=error, task=task))
    assert (error or "Stopped.") in html
    assert 'data-action="message#retry"' in html


def test_what_an_answer_took_is_told(room, ada):
    task = room.task("chloe", room.said("Go", ada), state="completed")
    usage = {"model": "some-model", "input_tokens": 1200, "output_tokens": 34, "price": "0.0042"}
    html = html_of(room.said("Done", agent="chloe", task=task, usage=usage))
    assert re.findall(r'message-meta">([^<]*)<', html) == ["some-model", "1,234 tokens", "$0.0042", "2.0 s"]


def test_files_links_and_data_of_a_message_are_shown(room, ada):
    file = "01890000-0000-7000-8000-000000000000"
    parts = [
        {"text": "Look"},
        {"url": f"attachment:{file}", "filename": "<map>.png", "mediaType": "image/png"},
        {"url": "https://example.org/a"},
        {"url": "javascript:alert(1)"},
        {"data": {"a": "<b>"}},
    ]
    html = html_of(room.said("Look", ada, parts=parts))
    assert html.count("Look") == 1
    assert f'<img src="/files/{file}/" alt="&lt;map&gt;.png"' in html
    assert 'href="https://example.org/a"' in html
    assert 'href="javascript' not in html
    assert "&lt;b&gt;" in html


def test_artifacts_stand_under_the_message(room, ada):
    message = room.said("Here", agent="chloe", task=room.task("chloe", room.said("Go", ada)))
    room.artifact(message, {"text": "A **report**"}, {"data": [1, 2]}, name="report.md")
    html = html_of(message)
    assert "<strong>report.md</strong>" in html
    assert "A <strong>report</strong>" in html


def test_an_author_who_left_leaves_the_words(room, mallory):
    message = room.said("I was here", mallory)
    mallory.delete()
    html = html_of(message)
    assert "I was here" in html
    assert "Somebody who left" in html


def test_a_sidebar_entry_knows_what_is_unread(room, ada):
    room.said("Hello", agent="chloe")
    seat = Participant.objects.get(user=ada)
    assert " unread" in conversation_items([seat])[0]
    room.conversation.refresh_from_db()
    assert " unread" not in conversation_item_html(room.conversation, read_seq=1)


def test_participants_are_shown_with_their_brains_and_who_could_join(ada):
    html = participants_html(Room(ada, agents=("chloe",)).conversation)
    assert 'data-mention="chloe"' in html
    assert "<small>" in html
    assert 'data-participants-agent-param="phil"' in html
