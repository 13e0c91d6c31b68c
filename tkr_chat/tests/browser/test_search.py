"""Searching in the chat page, and going to what was found in a long conversation."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Server, send

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)
SAID = 300
MAKE = f"""
from accounts.models import User
from chat.tests.room import Room
ada = User.objects.order_by("date_joined").first()
room = Room(ada, agents=(), title="The long one")
for number in range({SAID}):
    room.said("The quokka smiles" if number == 20 else f"Line {{number}} of a long talk", ada)
print(room.id)
"""


@pytest.fixture(scope="session")
def long_room(server: Server) -> str:
    return server.manage("shell", "--no-imports", "-c", MAKE).split()[-1]


@pytest.fixture
def searching(page: Page, long_room: str) -> Page:
    page.goto("/new/")
    return page


def look_for(page: Page, words: str) -> Locator:
    page.get_by_role("searchbox", name="Search in messages").fill(words)
    return page.locator(".found")


def test_it_works(searching: Page, long_room: str):
    found = look_for(searching, "quokka smi")
    expect(found).to_have_count(1)
    expect(found.locator("mark")).to_have_text(["quokka", "smiles"])
    found.get_by_role("link").click()
    searching.wait_for_url(f"**/c/{long_room}/?at=*")
    sought = searching.locator(".message.is-found")
    expect(sought).to_contain_text("The quokka smiles")
    expect(sought).to_be_in_viewport()
    expect(searching.get_by_text("Line 19 of a long talk", exact=True)).to_be_attached()


def test_from_there_one_reads_on_to_both_ends(searching: Page):
    look_for(searching, "quokka").get_by_role("link").click()
    expect(searching.locator(".message.is-found")).to_be_in_viewport()
    for number in (0, SAID - 1):
        line = searching.get_by_text(f"Line {number} of a long talk", exact=True)
        top = "0" if number == 0 else "scroller.scrollHeight"
        for _ in range(20):
            searching.evaluate(
                f"() => {{ const scroller = document.getElementById('scroller'); scroller.scrollTop = {top} }}"
            )
            if line.count():
                break
            searching.wait_for_timeout(300)
        expect(line).to_be_attached()
    numbers = searching.locator(".thread > .message").evaluate_all("all => all.map(one => Number(one.dataset.seq))")
    assert numbers == list(range(1, SAID + 1))


def test_latest_leads_back_to_the_end(searching: Page):
    look_for(searching, "quokka").get_by_role("link").click()
    expect(searching.locator(".message.is-found")).to_be_in_viewport()
    searching.get_by_role("button", name="Latest").click()
    expect(searching.get_by_text(f"Line {SAID - 1} of a long talk", exact=True)).to_be_in_viewport()
    expect(searching.locator(".newer")).to_have_count(0)


def test_what_is_posted_from_the_middle_is_seen(searching: Page):
    look_for(searching, "quokka").get_by_role("link").click()
    expect(searching.locator(".message.is-found")).to_be_in_viewport()
    send(searching, "A word from the middle")
    expect(searching.locator(".message", has_text="A word from the middle")).to_be_in_viewport()


def test_the_keyboard_alone_is_enough(searching: Page, long_room: str):
    searching.keyboard.press("Control+Shift+F")
    searching.keyboard.type("quokka")
    expect(searching.locator(".found")).to_have_count(1)
    searching.keyboard.press("ArrowDown")
    searching.keyboard.press("Enter")
    searching.wait_for_url(f"**/c/{long_room}/?at=*")


def test_escape_brings_the_list_back(searching: Page):
    expect(look_for(searching, "quokka")).to_have_count(1)
    searching.keyboard.press("Escape")
    expect(searching.locator(".found")).to_have_count(0)
    expect(searching.get_by_role("navigation", name="Your conversations")).to_be_visible()


def test_what_was_not_said_is_not_found(searching: Page):
    expect(look_for(searching, "rhinoceros")).to_have_count(0)
    expect(searching.get_by_text("Nothing was said with these words.")).to_be_visible()


def test_more_is_found_further_back(searching: Page):
    found = look_for(searching, "long talk")
    expect(found).to_have_count(20)
    searching.get_by_role("link", name="Earlier messages").click()
    expect(found).to_have_count(40)


def test_a_conversation_is_exported_from_its_menu(searching: Page, long_room: str):
    item = searching.locator(f"#conversation-item-{long_room}")
    item.hover()
    item.get_by_role("button").click()
    with searching.expect_download() as download:
        searching.get_by_role("link", name="Export as JSON").click()
    assert download.value.suggested_filename == "The-long-one.json"
    assert len(json.loads(download.value.path().read_text())["messages"]) >= SAID


def test_what_was_not_read_is_counted(page: Page, server: Server, long_room: str):
    made = server.manage("shell", "--no-imports", "-c", MAKE.replace(f"range({SAID})", "range(7)")).split()[-1]
    page.goto("/new/")
    item = page.locator(f"#conversation-item-{made}")
    expect(item.locator("[data-count]")).to_have_text("7")
    item.get_by_role("link").click()
    expect(item.locator("[data-count]")).to_be_hidden()
    assert page.locator(f"#conversation-item-{made}.unread").count() == 0
