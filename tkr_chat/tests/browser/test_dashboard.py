"""The operators' pages in a real Chromium: what is shown comes from a real server, and renews itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=40_000)  # a sample comes every ten seconds, and the page asks as often


def test_it_works(page: Page):
    page.goto("/admin/?range=1h")
    page.evaluate("window.neverLoadedAnew = true")
    expect(page.get_by_role("link", name="1 hour")).to_have_attribute("aria-current", "true")

    expect(page.locator(".dash-table", has_text="Processes")).to_contain_text("web@")
    expect(page.locator(".dash-chart", has_text="HTTP requests").locator("svg .bar").first).to_be_attached()
    assert page.evaluate("window.neverLoadedAnew")


@pytest.fixture
def answered(page: Page) -> None:
    """An agent has something to show in the tables."""
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}
    answer = page.request.post("/a2a/tess/", data=call, headers={"A2A-Version": "1.0"})
    assert "result" in answer.json(), answer.text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.usefixtures("answered")
def test_nothing_sticks_out(page: Page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/admin/?range=24h")
    expect(page.locator(".dash-figure")).to_have_count(8)
    expect(page.locator(".dash-table", has_text="Agents")).to_contain_text("tess")

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_samples_are_browsed(page: Page):
    page.goto("/admin/?range=1h")
    page.get_by_role("link", name="HTTP requests").click()
    expect(page.locator("svg .bar").first).to_be_attached()
    page.get_by_label("Apart by").select_option("status")
    page.get_by_role("button", name="Show").click()

    expect(page.locator(".dash-legend")).to_contain_text("200")


def test_a_test_without_anybody_to_tell_says_what_to_set(page: Page):
    page.goto("/admin/metrics/alertdelivery/")
    page.get_by_role("button", name="Send a test").click()

    expect(page.get_by_text("set ALERT_EMAILS or ALERT_WEBHOOK_URL")).to_be_visible()
