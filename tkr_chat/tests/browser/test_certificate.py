"""An agent of this server, tested from its page: the server calls itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_it_works(page: Page):
    page.goto("/agents/chloe/")
    page.get_by_role("link", name="Certificate").click()
    page.get_by_role("button", name="Test this agent").click()
    expect(page.get_by_role("button", name="Test again")).to_be_visible(timeout=60_000)
    expect(page.locator('.finding[data-level="red"]')).to_have_count(0)
    assert page.locator('.finding[data-level="green"]').count() > 15
    sending = page.locator(".finding", has_text="Sending a message")
    sending.get_by_text("On the wire").click()
    expect(sending.locator(".wire").first).to_contain_text(re.compile(r"POST http://127\.0\.0\.1:\d+/a2a/chloe/"))
    expect(sending.locator(".wire").first).to_contain_text("$TOKEN")
