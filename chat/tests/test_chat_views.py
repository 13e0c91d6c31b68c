from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from agents_app.models import Attachment, Message
from chat.tests.room import Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def room(ada) -> Room:
    return Room(ada)


@pytest.fixture
def browser(ada) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def outsider(mallory) -> Client:
    client = Client()
    client.force_login(mallory)
    return client


def attach(room: Room, content: bytes, media_type: str, filename: str) -> str:
    file = Attachment(context_id=room.id, filename=filename, media_type=media_type, size=len(content), sha256="0" * 64)
    file.file.save("", ContentFile(content), save=False)
    file.save()
    return f"/files/{file.id}/"


def test_it_works(browser, room, ada):
    room.said("Good morning", ada)
    page = browser.get(f"/c/{room.id}/")
    assert page.status_code == 200
    html = page.content.decode()
    assert "Good morning" in html
    assert 'data-conversation-seq-value="1"' in html
    assert "<title>A room · tkr-agent-chat</title>" in html


def test_the_page_needs_nothing_its_policy_forbids(browser, room, ada):
    room.said("```python\nprint(1)\n```", ada)
    page = browser.get(f"/c/{room.id}/")
    html = page.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert "script-src 'self'" in page["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/new/", "/c/{id}/", "/c/{id}/messages", "/sidebar", "/files/{id}/"])
def test_strangers_are_asked_to_sign_in(client, room, path):
    answer = client.get(path.format(id=room.id))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("path", ["/c/{id}/", "/c/{id}/messages"])
def test_a_foreign_conversation_looks_like_none(browser, outsider, room, path):
    assert browser.get(path.format(id=room.id)).status_code == 200
    assert outsider.get(path.format(id=room.id)).status_code == 404
    assert browser.get(path.format(id=uuid4())).status_code == 404


def test_the_start_leads_to_the_newest_conversation(browser, room):
    assert browser.get("/")["Location"] == f"/c/{room.id}/"


def test_whoever_has_none_is_introduced_to_the_agents(browser):
    html = browser.get("/").content.decode()
    for words in ("Chloe", "Phil Connors", "What is the weather in Oslo today?"):
        assert words in html


def test_older_messages_come_page_by_page(browser, room, ada, settings):
    settings.CHAT_PAGE_SIZE = 3
    for number in range(7):
        room.said(f"number {number}", ada)
    html, seen = browser.get(f"/c/{room.id}/").content.decode(), []
    while True:
        seen = re.findall(r"number (\d)", html) + seen
        older = re.search(r'href="(/c/[^"]*/messages\?before=\d+)"', html)
        if not older:
            break
        html = browser.get(older[1]).content.decode()
    assert seen == [str(number) for number in range(7)]


def test_older_conversations_come_page_by_page(browser, ada, settings):
    settings.CHAT_PAGE_SIZE = 2
    for number in range(5):
        Room(ada, title=f"room {number}")
    html, seen = browser.get("/new/").content.decode(), []
    while True:
        seen += re.findall(r'conversation-title">(room \d)', html)
        older = re.search(r'href="(/sidebar\?before=[^"]*)"', html)
        if not older:
            break
        html = browser.get(older[1]).content.decode()
    assert sorted(seen) == [f"room {number}" for number in range(5)]


@pytest.mark.parametrize("path", ["/c/{id}/messages?before=x", "/sidebar?before=x"])
def test_a_made_up_cursor_is_refused(browser, room, path):
    assert browser.get(path.format(id=room.id)).status_code == 400


def test_what_works_now_is_on_the_first_paint(browser, room, ada):
    room.task("phil", room.said("@phil hello", ada), state="working", status_text="looks out of the window")
    html = browser.get(f"/c/{room.id}/").content.decode()
    assert "looks out of the window" in html


def test_an_image_is_shown(browser, room):
    answer = browser.get(attach(room, b"\x89PNG", "image/png", "map.png"))
    assert answer.content == b"\x89PNG"
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == 'inline; filename="map.png"'


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", ""])
def test_a_file_that_could_act_as_a_page_of_ours_is_only_downloaded(browser, room, media_type):
    answer = browser.get(attach(room, b"<script>alert(1)</script>", media_type, 'a"b.html'))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_foreign_file_looks_like_none(outsider, room):
    assert outsider.get(attach(room, b"secret", "text/plain", "a.txt")).status_code == 404


def test_the_agents_colours_are_asked_for_anew_and_sent_only_when_changed(browser):
    first = browser.get("/agents.css")
    assert first["Content-Type"] == "text/css"
    assert browser.get("/agents.css", headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_strangers_get_an_empty_style_sheet_instead_of_a_page(client):
    answer = client.get("/agents.css")
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "text/css", b"")


def test_a_page_takes_the_same_number_of_queries_however_much_is_said(
    browser, room, ada, django_assert_max_num_queries
):
    for number in range(30):
        room.said(f"Message {number}", ada)
        Room(ada, title=f"room {number}")
    assert Message.objects.count() == 30
    browser.get("/sidebar")  # the first request of a browser notes that it is in use
    with django_assert_max_num_queries(16):
        browser.get(f"/c/{room.id}/")


@pytest.mark.parametrize("path", ["/", "/new/", "/c/{id}/", "/sidebar", "/agents.css"])
def test_reading_is_all_that_pages_do(browser, room, path):
    assert browser.post(path.format(id=room.id)).status_code == 405
