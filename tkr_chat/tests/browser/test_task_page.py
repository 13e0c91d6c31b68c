"""The page of a task while it runs: a real server process, a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)
Start = Callable[[str], Page]


def open_newest_task(page: Page) -> None:
    page.goto("/tasks/")
    page.locator(".task-words").first.click()
    page.wait_for_url("**/tasks/*/")


def state(page: Page) -> str:
    return page.locator(".task-head").get_attribute("data-state") or ""


def test_it_works(start: Start):
    page = start("@tess talk")
    expect(page.locator("details.step")).to_be_visible()
    open_newest_task(page)
    assert state(page) == "working", "need a task that still runs for this test to mean anything"
    page.evaluate("window.neverLoadedAnew = true")

    expect(page.locator(".task-head")).to_have_attribute("data-state", "completed")
    expect(page.locator(".timeline")).to_contain_text("count_calls")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert page.evaluate("window.neverLoadedAnew")


def test_stop_ends_the_task(start: Start):
    page = start("@tess talk for ever")
    expect(page.locator("details.step")).to_be_visible()
    open_newest_task(page)
    page.get_by_role("button", name="Stop").click()

    expect(page.locator(".task-head")).to_have_attribute("data-state", "canceled")


def test_a_delegation_says_for_whom_it_acts(start: Start):
    page = start("@chloe what should I wear in Oslo today?")
    step = page.locator("details.step-agent")
    expect(step).to_have_attribute("data-state", "done")
    step.locator("summary").first.click()
    expect(step.locator(".step-chain")).to_have_text(re.compile(r"For\s+You\s*→\s*Chloe\s*→\s*Phil Connors"))

    step.get_by_role("link", name="Task").click()

    page.wait_for_url("**/tasks/*/")
    expect(page.locator(".sequence-request.sequence-here")).to_have_count(1)
    expect(page.locator(".sequence-actor")).to_have_count(3)


def test_the_menu_leads_to_the_tasks(start: Start):
    page = start("@tess markdown")
    page.locator(".me").click()
    page.get_by_role("link", name="Tasks").click()

    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    expect(page.locator(".task-item").first).to_contain_text("You → Tess")
