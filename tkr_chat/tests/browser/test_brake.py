"""The card of a budget that is used up, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .test_chat_page import answers

pytestmark = pytest.mark.browser

Start = Callable[[str], Page]

NOTHING_KEPT = "!Object.keys(localStorage).some(key => key.startsWith('decisions:'))"  # the server has what was chosen


def test_it_works(start: Start):
    page = start("@tess spend")
    card = answers(page).last.locator(".brake")
    expect(card).to_contain_text("The tokens of this request are used up.")
    page.reload()
    go_on = card.get_by_role("button", name="Go on")
    go_on.press("Enter")
    expect(card).to_contain_text("Go on was chosen, with a fresh budget.")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    expect(answers(page).last).to_contain_text("And that was the last one.", use_inner_text=True)  # it is laid out
    text = answers(page).last.inner_text()
    assert text.index("I dug one hole.") < text.index("was chosen") < text.index("And that was the last one.")
    assert text.count("I dug one hole.") == 1
    expect(answers(page).last.locator("details.step")).to_have_count(1)


def test_the_focus_stays_where_it_was_when_newer_html_takes_the_place_of_the_message(start: Start):
    page = start("@tess spend")
    card = answers(page).last.locator(".brake")
    end = card.get_by_role("button", name="End", exact=True)
    end.focus()
    card.evaluate("card => { card.dataset.old = 'yes' }")
    for event in ("offline", "online"):  # an answer that is open is shown anew after each connection
        page.context.set_offline(event == "offline")
        page.evaluate("event => dispatchEvent(new Event(event))", event)
    expect(card).not_to_have_attribute("data-old", "yes")
    expect(end).to_be_focused()


def test_end_keeps_what_was_said(start: Start):
    page = start("@tess spend")
    answers(page).last.get_by_role("button", name="End", exact=True).click()
    expect(answers(page).last).to_have_attribute("data-state", "stopped")
    expect(answers(page).last).to_contain_text("I dug one hole.")
    expect(answers(page).last.locator(".brake")).to_contain_text("End was chosen.")


def test_a_choice_without_a_connection_is_kept_and_sent(start: Start):
    page = start("@tess spend")
    card = answers(page).last.locator(".brake")
    expect(card).to_be_visible()
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('offline'))")
    card.get_by_role("button", name="Go on").click()
    expect(card.get_by_role("button", name="Go on")).to_be_disabled()
    page.context.set_offline(False)
    page.reload()
    expect(card).to_contain_text("Go on was chosen, with a fresh budget.")
    page.wait_for_function(NOTHING_KEPT)


def test_somebody_else_who_was_faster_is_no_reason_to_wait_on(start: Start):
    page = start("@tess spend")
    card = answers(page).last.locator(".brake")
    task = card.get_attribute("data-brake-task-value")
    tell = "t => dispatchEvent(new CustomEvent('decision:made', {detail: {task: t, choice: 'end'}}))"
    page.evaluate(tell, task)
    expect(card).to_contain_text("End was chosen.")
    page.evaluate(tell, task)
    expect(page.locator(".toast")).to_contain_text("This task waits for no decision.")
    page.wait_for_function(NOTHING_KEPT)
