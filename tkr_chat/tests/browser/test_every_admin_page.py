"""Every page of the admin in a real Chromium: it answers, nothing complains, nothing sticks out of a telephone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from playwright.sync_api import Browser, BrowserContext, Page

from .conftest import Server

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
THEMES = ("dark", "light")
TELEPHONE = {"width": 390, "height": 844}
OF_THEIR_OWN = {"opensocket", "logfile", "sample"}  # pages that are no list of rows
SEED = "from tkr_chat.tests.browser.every_page import make; make()"
STICKS_OUT = """
  () => document.documentElement.scrollWidth <= window.innerWidth ? "" : [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 160)).join("\\n")
"""

# A table that has to be pushed aside to be read, a label that runs into its field.
CUT_OFF = """
  () => [...document.querySelectorAll(":has(> table), .field-line > :first-child")]
    .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 160)).join("\\n")
"""
UNREADABLE = Path(__file__).with_name("unreadable.js").read_text()


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
        wrong += [f"{address} at {width}: {out}" for check in (STICKS_OUT, CUT_OFF) if (out := page.evaluate(check))]
        for theme in THEMES:
            wear(page, theme)
            if out := page.evaluate(UNREADABLE):
                wrong.append(f"{address} at {width}, {theme}: {out}")
            keep(page, f"{address}-{width}-{theme}")
    return wrong


def wear(page: Page, theme: str) -> None:
    """As its switch does. unfold asks what the system prefers only once, when a page begins."""
    page.evaluate("theme => { Alpine.$data(document.documentElement).adminTheme = theme }", theme)
    page.wait_for_function("theme => document.documentElement.classList.contains(theme)", arg=theme)
    page.evaluate("() => document.getAnimations().forEach(fading => fading.finish())")


def keep(page: Page, name: str) -> None:
    """For somebody who wants to look, with SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{re.sub('[/?]+', '_', name.strip('/'))}.png", full_page=True)


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
        keep(page, "confirm")
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
