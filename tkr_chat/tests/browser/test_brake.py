"""The card of a budget that is used up, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .test_chat_page import answers

pytestmark = pytest.mark.browser

Start = Callable[[str], Page]


def test_it_works(start: Start):
    page = start("@tess spend")
    card = answers(page).last.locator(".brake")
    expect(card).to_contain_text("The tokens of this request are used up.")
    page.reload()
    go_on = card.get_by_role("button", name="Go on")
    page.wait_for_load_state("networkidle")  # a choice before the socket is open is lost, and the button waits again
    page.wait_for_timeout(1000)
    expect(go_on).to_be_enabled()
    go_on.focus()
    page.keyboard.press("Enter")
    expect(card).to_contain_text("Go on was chosen, with a fresh budget.")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    expect(answers(page).last).to_contain_text("And that was the last one.", use_inner_text=True)  # it is laid out
    text = answers(page).last.inner_text()
    assert text.index("I dug one hole.") < text.index("was chosen") < text.index("And that was the last one.")
    assert text.count("I dug one hole.") == 1
    expect(answers(page).last.locator("details.step")).to_have_count(1)


def test_end_keeps_what_was_said(start: Start):
    page = start("@tess spend")
    answers(page).last.get_by_role("button", name="End", exact=True).click()
    expect(answers(page).last).to_have_attribute("data-state", "stopped")
    expect(answers(page).last).to_contain_text("I dug one hole.")
    expect(answers(page).last.locator(".brake")).to_contain_text("End was chosen.")
