"""`kill -9` in the middle of an answer: it is finished without anybody doing anything, and nothing is done twice."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.sync_api import expect

from .conftest import Server
from .test_chat_page import Start, answers, assert_every_word

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_works(start: Start, server: Server, how: int):
    calls = server.data / "calls.txt"
    calls.unlink(missing_ok=True)
    page = start("@tess talk")
    expect(answers(page).last.locator(".tail")).to_contain_text("word20 ")
    server.kill(how)
    server.start()
    expect(answers(page).last).to_contain_text("and that is all.", timeout=40_000)
    assert_every_word(page)
    assert calls.read_text().splitlines() == ["called"]
    assert page.locator("article.message").count() == 2
    page.reload()
    assert_every_word(page)


def test_a_message_written_while_the_server_is_down_arrives_once(start: Start, server: Server):
    page = start("@chloe hello")
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    server.kill()
    page.get_by_label("Message", exact=True).fill("@tess markdown after the crash")
    page.keyboard.press("Enter")
    server.start()
    expect(answers(page).last.locator("h1")).to_have_text("A title", timeout=40_000)
    page.reload()
    expect(page.locator("article.message-mine", has_text=re.compile("after the crash"))).to_have_count(1)
