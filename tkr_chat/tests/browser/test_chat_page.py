"""The chat page as a person uses it: a real server process, a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .conftest import Server, send

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)
Start = Callable[[str], Page]


def answers(page: Page) -> Locator:
    return page.locator('article.message[data-author^="agent:"]:not(.exchange article)')


def test_it_works(start: Start):
    page = start("@chloe hello!")
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    expect(answers(page).last).to_have_attribute("data-author", "agent:chloe")
    expect(page.locator("article.message-mine")).to_have_count(1)


def test_the_link_signs_in_only_once(server: Server, page: Page, chromium_browser):
    link = server.sign_in_link()
    for expected in (r"/(c/.*|new/)?$", r"/sign-in/"):
        stranger = chromium_browser.new_context()
        tab = stranger.new_page()
        tab.goto(link)
        assert re.search(expected, tab.url), tab.url
        stranger.close()


def test_an_answer_streams_with_its_tool_call_in_place(start: Start):
    page = start("@tess talk")
    expect(answers(page).last.locator(".tail")).to_contain_text("word3 ")
    expect(answers(page).last).to_have_attribute("data-state", "streaming")
    step = answers(page).last.locator("details.step")
    expect(step).to_contain_text("count_calls")
    expect(answers(page).last).to_contain_text("and that is all.", use_inner_text=True)
    text = answers(page).last.inner_text()
    assert text.index("I call my tool.") < text.index("count_calls") < text.index("word0") < text.index("word119")


def test_chloe_asks_phil_what_to_wear(start: Start):
    page = start("@chloe what should I wear in Oslo today?")
    step = answers(page).last.locator("details.step-agent")
    expect(step).to_contain_text("Chloe asked Phil Connors")
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    step.locator("summary").first.click()
    expect(step.locator('.exchange article[data-author="agent:phil"]')).to_contain_text("Oslo")
    expect(step.locator(".exchange details.step")).to_contain_text("weather")


def test_both_agents_answer_when_both_are_called(start: Start):
    page = start("hello @chloe and @phil, good morning")
    expect(page.locator('article.message[data-author="agent:chloe"][data-state="complete"]')).to_have_count(1)
    expect(page.locator('article.message[data-author="agent:phil"][data-state="complete"]')).to_have_count(1)


def test_the_mention_picker_completes_a_name_by_keyboard(page: Page):
    page.goto("/new/")
    text = page.get_by_label("Message", exact=True)
    text.press_sequentially("hello @ph")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(text).to_have_value("hello @phil ")
    page.keyboard.press("Enter")
    expect(page.locator('article.message[data-author="agent:phil"][data-state="complete"]')).to_have_count(1)


def test_stop_stops_the_work_on_the_server(start: Start):
    page = start("@tess talk for ever")
    expect(answers(page).last.locator(".tail")).to_contain_text("word2 ")
    page.get_by_role("button", name=re.compile("stop", re.IGNORECASE)).first.click()
    expect(answers(page).last).to_have_attribute("data-state", "stopped")
    body = answers(page).last.locator(".message-body")
    expect(body).to_contain_text(
        "word2 ", use_inner_text=True
    )  # the browser may not have laid out yet what it was just given
    said = body.inner_text()
    assert "that is all" not in said
    page.reload()
    expect(answers(page).last).to_have_attribute("data-state", "stopped")
    expect(body).to_have_text(said, use_inner_text=True)


def test_a_reload_in_mid_stream_continues_without_a_gap(start: Start):
    page = start("@tess talk")
    expect(answers(page).last.locator(".tail")).to_contain_text("word10 ")
    page.reload()
    expect(answers(page).last.locator(".tail")).to_contain_text("word30 ")
    expect(answers(page).last).to_contain_text("and that is all.")
    assert_every_word(page)


def assert_every_word(page: Page) -> None:
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    expect(answers(page).last).to_contain_text("word119", use_inner_text=True)  # it is laid out
    words = re.findall(r"word(\d+)", answers(page).last.inner_text())
    assert words == [str(number) for number in range(120)]


def test_two_tabs_stay_in_step(start: Start, context: BrowserContext):
    page = start("@tess talk")
    second = context.new_page()
    second.goto(page.url)
    expect(second.locator("article.message")).to_have_count(2)
    for tab in (page, second):
        expect(answers(tab).last).to_contain_text("and that is all.")
        assert_every_word(tab)
    send(second, "@tess markdown please")
    expect(answers(page).last.locator("h1")).to_have_text("A title")
    assert page.locator("article.message").count() == second.locator("article.message").count() == 4


def test_the_outbox_keeps_what_is_written_offline(start: Start, context: BrowserContext):
    page = start("@chloe hello")
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    context.set_offline(True)
    send(page, "@tess markdown written in the train")
    expect(page.get_by_text("written in the train")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("article.message-mine")).to_have_count(2)
    expect(answers(page).last.locator("h1")).to_have_text("A title")
    page.reload()
    expect(page.locator("article.message-mine", has_text="written in the train")).to_have_count(1)


def test_code_is_highlighted_and_can_be_copied(start: Start, context: BrowserContext):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = start("@tess markdown")
    expect(answers(page).last.locator("code.highlight span").first).to_be_visible()
    answers(page).last.get_by_role("button", name="Copy", exact=True).first.click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == "print('hi')"


def test_a_failed_answer_says_why_and_can_be_tried_again(start: Start):
    page = start("@tess fail")
    expect(answers(page).last).to_contain_text("The string broke.")
    answers(page).last.get_by_role("button", name=re.compile("again|retry", re.IGNORECASE)).click()
    expect(answers(page)).to_have_count(2)
    expect(answers(page).last).not_to_have_attribute("data-state", "failed")


def test_an_agent_asks_and_goes_on_with_the_answer(start: Start):
    page = start("@tess ask me")
    expect(answers(page).last).to_contain_text("Which colour?")
    send(page, "Blue")
    expect(answers(page).last).to_contain_text("So Blue it is.")


def test_a_conversation_is_named_and_deleted(start: Start, page: Page):
    start("@chloe hello little room")
    item = page.locator("#sidebar").get_by_text("hello little room", exact=False).first
    expect(item).to_be_visible()
    url = page.url
    page.request.delete(url)  # not the way
    page.goto(url)
    headers = {"X-CSRFToken": next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")}
    api = url.replace("/c/", "/api/v1/conversations/").rstrip("/")
    assert page.request.patch(api, data={"title": "Renamed"}, headers={**headers, "Referer": url}).ok
    expect(page.locator("#sidebar")).to_contain_text("Renamed")
    assert page.request.delete(api, headers={**headers, "Referer": url}).ok
    expect(page.locator("#sidebar")).not_to_contain_text("Renamed")


def test_the_menu_of_a_conversation_offers_what_its_reader_may_do(start: Start, page: Page):
    start("@chloe hello mine")
    expect(answers(page).last).to_have_attribute("data-state", "complete")  # what is news replaces the item
    item = page.locator(".conversation-item", has_text="Hello mine")
    item.get_by_role("button", name="More about").click()
    menu = page.locator("#conversation-menu")
    expect(menu.get_by_role("button", name="Delete")).to_be_visible()
    expect(menu.get_by_role("button", name="Leave")).to_be_hidden()
    page.keyboard.press("Escape")
    item.evaluate("item => { item.dataset.creator = 'somebody else'; delete document.body.dataset.staff }")
    item.get_by_role("button", name="More about").click()
    expect(menu.get_by_role("button", name="Delete")).to_be_hidden()
    menu.get_by_role("button", name="Leave").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("“Hello mine” goes from your list and stays for the others.")
    dialog.get_by_role("button", name="Leave").click()
    expect(page.locator(".conversation-item", has_text="Hello mine")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(start: Start, page: Page, scheme: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    start("@tess markdown for a conversation whose title is wider than any phone")
    expect(answers(page).last.locator("h1")).to_have_text("A title")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for part in page.locator(".conversation > *, .conversation-header > *").all():
        box = part.bounding_box()
        assert box is None or box["x"] + box["width"] <= 390, part
    expect(page.get_by_label("Message", exact=True)).to_be_in_viewport()


def test_the_keyboard_alone_is_enough(page: Page):
    page.goto("/new/")
    skip = page.locator("a", has_text=re.compile("skip", re.IGNORECASE)).first
    skip.focus()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.goto("/new/")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type("@chloe hello")
    page.keyboard.press("Enter")
    expect(answers(page).last).to_have_attribute("data-state", "complete")


def test_someone_who_signed_out_hears_nothing_more(server: Server, start: Start, page: Page, context: BrowserContext):
    context.clear_cookies()
    page.goto(server.sign_in_link())  # a session of its own, because it ends here
    page = start("@chloe hello")
    expect(answers(page).last).to_have_attribute("data-state", "complete")
    other = context.new_page()
    other.goto("/settings/")
    other.get_by_role("button", name=re.compile("sign out", re.IGNORECASE)).first.click()
    page.wait_for_url(re.compile("sign-in"))
