"""Every page of the admin in a real Chromium: it answers, nothing complains, nothing sticks out of a telephone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from playwright.sync_api import Browser, BrowserContext, Page

from .conftest import Server

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
TELEPHONE = {"width": 390, "height": 844}
OF_THEIR_OWN = {"opensocket", "logfile", "sample"}  # pages that are no list of rows
SEED = "from tkr_chat.tests.browser.every_page import make; make()"
STICKS_OUT = """
  () => document.documentElement.scrollWidth <= window.innerWidth ? "" : [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 160)).join("\\n")
"""


@pytest.fixture(scope="module")
def as_grace(chromium_browser: Browser, server: Server) -> Iterator[BrowserContext]:
    server.manage("shell", "-c", SEED)
    context = chromium_browser.new_context(base_url=server.address)
    context.new_page().goto(server.manage("signinlink", "grace").strip())
    yield context
    context.close()


@pytest.fixture
def complaints(as_grace: BrowserContext) -> Iterator[list[str]]:
    """Errors of the console, among them those of the content policy, and whatever could not be loaded."""
    found: list[str] = []

    def hear(message: Any) -> None:
        if message.type == "error":
            found.append(f"{message.page.url if message.page else ''}: {message.text}")

    def answered(response: Any) -> None:
        if response.status >= 400:
            found.append(f"{response.url}: {response.status}")

    listeners = {"console": hear, "response": answered, "weberror": lambda error: found.append(str(error.error))}
    for name, listen in listeners.items():
        as_grace.on(name, listen)
    yield found
    for name, listen in listeners.items():
        as_grace.remove_listener(name, listen)


def addresses(page: Page) -> Iterator[str]:
    """Of every registered model: its list, the page to add one where there is a way to it, one row, its history."""
    yield from ("/admin/", "/admin/password_change/", "/admin/agents_app/")
    for model, its in admin.site._registry.items():
        name = model._meta.model_name
        there = f"/admin/{model._meta.app_label}/{name}/"
        yield there
        page.goto(there)
        links = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href') || '')")
        if f"{there}add/" in links:
            yield f"{there}add/"
        rows = [link.partition("?")[0] for link in links if link.startswith(there) and "/change/" in link]
        assert rows or its.list_display_links is None or name in OF_THEIR_OWN, f"there is no {name} to look at"
        if rows:
            yield rows[0]
            yield rows[0].replace("/change/", "/history/")
            yield rows[0].replace("/change/", "/delete/") if name in ("alertrule", "group") else rows[0]
    yield from ("/admin/agents_app/agent/chloe/change/", "/admin/agents_app/agent/chloe/running/")
    yield "/admin/accounts/user/?q=grace"
    yield "/admin/ops/logfile/?file=errors&words=nothing"


def look(page: Page, address: str) -> list[str]:
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if width == WIDTHS[0]:
            answer = page.goto(address)
            if answer is None or answer.status != 200:
                wrong.append(f"{address}: {answer and answer.status}")
        page.wait_for_load_state("networkidle")
        if out := page.evaluate(STICKS_OUT):
            wrong.append(f"{address} at {width}: {out}")
        keep(page, address, width)
    return wrong


def keep(page: Page, address: str, width: int) -> None:
    """For somebody who wants to look, with SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            name = f"{address.strip('/').replace('/', '_').replace('?', '_')[:80]}-{width}-{scheme}.png"
            page.screenshot(path=Path(folder) / name, full_page=True)
        page.emulate_media(color_scheme="light")


def test_it_works(as_grace: BrowserContext, complaints: list[str]) -> None:
    page = as_grace.new_page()
    found = list(dict.fromkeys(addresses(page)))
    assert len(found) > 2 * len(admin.site._registry)
    wrong = [line for address in found for line in look(page, address)]
    page.close()
    problems = wrong + complaints
    assert not problems, "\n".join(problems)


def test_what_many_would_notice_is_asked_first(as_grace: BrowserContext, complaints: list[str]) -> None:
    """On a page without a script, and both ways lead back."""
    page = as_grace.new_page()
    page.set_viewport_size(TELEPHONE)
    page.goto("/admin/metrics/process/")
    for answer in ("No, go back", "Clear them"):
        page.get_by_role("button", name="Clear the caches").click()
        page.get_by_text("Clear the caches?").first.wait_for()
        assert not page.evaluate(STICKS_OUT)
        keep(page, "/confirm/", 390)
        page.get_by_text(answer, exact=True).click()
        page.wait_for_url("**/metrics/process/")
    page.get_by_text("cleared True").first.wait_for()
    page.close()
    assert complaints == []


def test_a_task_that_hangs_is_restarted_with_one_button(as_grace: BrowserContext, complaints: list[str]) -> None:
    page = as_grace.new_page()
    page.goto("/admin/agents_app/agent/")
    page.get_by_role("link", name="1 seems to hang").click()
    page.get_by_role("button", name="Restart what seems to hang").click()
    page.get_by_role("button", name="Restart", exact=True).click()
    page.get_by_text("1 restarted.").wait_for()
    page.get_by_text("It works on nothing now.").or_(page.get_by_text("1 at work")).first.wait_for()
    page.close()
    assert complaints == []
