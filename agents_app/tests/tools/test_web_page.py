from __future__ import annotations

import asyncio
import json
import sys
import time

import pytest

from agents_app.base import ToolError
from agents_app.tests.fake_internet import Page, redirect
from agents_app.tools import web_page
from agents_app.tools.web_page import _with_scheme
from agents_app.tools.web_text import decode, excerpt_of, media_type, read_html


def html(text: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>"


async def test_it_works(internet):
    found = await web_page(None, url=f"{internet.url}/article")
    assert found.facts["title"] == "The groundhog of Punxsutawney"
    assert found.facts["url"] == f"{internet.url}/article"
    assert found.facts["excerpt"] == "Why a small town asks a groundhog about the weather."
    assert "about four years of ten" in found.facts["text"]
    assert "Home" not in found.facts["text"]
    assert "Gazette" not in found.facts["text"]
    assert 80 < found.facts["words"] < 120
    assert not found.facts["cut"]
    assert found.text.startswith(f"“The groundhog of Punxsutawney”, {internet.url}/article\n\n")


async def test_the_address_is_the_one_redirects_ended_at(internet):
    internet.pages["/old"] = redirect("/article")
    assert (await web_page(None, url=f"{internet.url}/old")).facts["url"] == f"{internet.url}/article"


async def test_a_long_page_is_cut_and_says_so(internet):
    paragraphs = "".join(f"<p>Paragraph {number} of a page that is rather long.</p>" for number in range(2000))
    internet.pages["/long"] = Page(
        f"<html><head><title>Long</title></head><body><article>{paragraphs}</article></body>"
    )
    found = await web_page(None, url=f"{internet.url}/long")
    assert found.facts["cut"]
    assert len(found.facts["text"]) <= 20_000
    assert f"of {found.facts['words']} words.)" in found.text[-60:]


async def test_plain_text_and_json_come_as_they_are(internet):
    internet.pages["/notes.txt"] = Page("One line.\n\n  Another.", "text/plain")
    internet.pages["/data"] = Page(json.dumps({"answer": 42}), "application/problem+json")
    notes = await web_page(None, url=f"{internet.url}/notes.txt")
    assert (notes.facts["title"], notes.facts["text"]) == ("notes.txt", "One line.\n\n  Another.")
    assert (await web_page(None, url=f"{internet.url}/data")).facts["text"] == '{"answer": 42}'


async def test_a_page_of_links_is_read_as_well(internet):
    internet.pages["/links"] = Page(
        "<html><body><ul>" + "<li><a href='/x'>Fjord news</a></li>" * 5 + "</ul></body></html>"
    )
    assert "Fjord news" in (await web_page(None, url=f"{internet.url}/links")).facts["text"]


@pytest.mark.parametrize("content_type", ["application/pdf", "application/octet-stream", "", "text/html"])
async def test_a_pdf_is_named_as_such(content_type, internet):
    internet.pages["/paper"] = Page(b"%PDF-1.7\n...", content_type)
    with pytest.raises(ToolError, match="PDF"):
        await web_page(None, url=f"{internet.url}/paper")


@pytest.mark.parametrize("content_type", ["image/png", "application/octet-stream", "video/mp4", "application/zip"])
async def test_what_has_no_text_is_refused(content_type, internet):
    internet.pages["/file"] = Page(b"\x89PNG\0\0\0", content_type)
    with pytest.raises(ToolError, match="not a page with text"):
        await web_page(None, url=f"{internet.url}/file")


@pytest.mark.parametrize("content_type", ["", "application/octet-stream"])
async def test_a_page_without_a_type_is_recognised(content_type, internet):
    internet.pages["/html"] = Page("<!DOCTYPE html>" + html("Recognised as a page with text."), content_type)
    internet.pages["/text"] = Page("Just words", content_type)
    assert (await web_page(None, url=f"{internet.url}/html")).facts["text"] == "Recognised as a page with text."
    assert (await web_page(None, url=f"{internet.url}/text")).facts["text"] == "Just words"


@pytest.mark.parametrize(
    "page",
    [
        Page(""),
        Page("", "text/plain"),
        Page("<html><head><title>App</title></head><body><div id='root'></div><script>draw()</script></body></html>"),
        Page(b"\0\1\2" * 500),
    ],
)
async def test_a_page_without_text_says_why(page, internet):
    internet.pages["/empty"] = page
    with pytest.raises(ToolError, match="without text"):
        await web_page(None, url=f"{internet.url}/empty")


@pytest.mark.parametrize(
    ("status", "words"), [(404, "404 .Not Found."), (403, "403 .Forbidden."), (599, "599 .unknown.")]
)
async def test_a_refusal_is_told_with_its_number(status, words, internet):
    internet.pages["/no"] = Page(html("An error page with some text on it."), status=status)
    with pytest.raises(ToolError, match=words):
        await web_page(None, url=f"{internet.url}/no")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://169.254.169.254/latest/", "not a public address"),
        ("http://192.168.1.1/", "not a public address"),
        ("file:///etc/passwd", "http:// or https://"),
        ("javascript:alert(1)", "not a web address"),
        ("", "does not name a host"),
    ],
)
async def test_addresses_that_may_not_be_opened(url, why, internet):
    with pytest.raises(ToolError, match=why):
        await web_page(None, url=url)


async def test_another_site_is_named_so_that_it_can_be_asked_for(internet):
    internet.pages["/short"] = redirect("https://elsewhere.example/page")
    with pytest.raises(ToolError, match="https://elsewhere.example/page"):
        await web_page(None, url=f"{internet.url}/short")


async def test_a_page_over_the_limit_says_so(internet, settings):
    settings.OUTGOING_MAX_BYTES = 2048
    internet.pages["/big"] = Page("x" * 3000, "text/plain")
    with pytest.raises(ToolError, match="larger than 2 KiB"):
        await web_page(None, url=f"{internet.url}/big")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("example.com/a", "https://example.com/a"),
        (" <https://example.com> ", "https://example.com"),
        ("http://example.com", "http://example.com"),
    ],
)
def test_an_address_may_lack_its_beginning(written, url):
    assert _with_scheme(written) == url


# Character sets


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html; charset=utf-8"),
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html"),
        (html("Grüße aus “Köln” für dich und alle").encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (html("Grüße aus “Köln” für dich und alle", "<meta charset=windows-1252>").encode("cp1252"), "text/html"),
        (html("Grüße aus “Köln” für dich und alle").encode("utf-16"), "text/html"),
        (html("Grüße aus “Köln” für dich und alle").encode("utf-8-sig"), "text/html; charset=iso-8859-1"),
        (html("Grüße aus “Köln” für dich und alle").encode(), 'text/html; charset="utf-8"'),
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html; charset=no-such-thing"),
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html; charset=base64"),
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html; charset=idna"),
        (html("Grüße aus “Köln” für dich und alle").encode(), "text/html; charset=undefined"),
        (
            b'<?xml version="1.0" encoding="windows-1252"?>'
            + html("Grüße aus “Köln” für dich und alle").encode("cp1252"),
            "application/xhtml+xml",
        ),
    ],
)
async def test_letters_arrive_as_written(body, content_type, internet):
    internet.pages["/letters"] = Page(body, content_type)
    assert (await web_page(None, url=f"{internet.url}/letters")).facts["text"] == "Grüße aus “Köln” für dich und alle"


def test_letters_without_a_declared_set_are_guessed():
    text = "Le cœur a ses raisons que la raison ne connaît point. " * 5
    assert "connaît" in decode(text.encode("cp1252"), "")
    assert decode("東京の天気".encode("shift_jis"), "Shift_JIS") == "東京の天気"
    assert decode(b"\xfd\x80broken", "utf-8").endswith("broken")


@pytest.mark.parametrize("header", ["", ";", "text/html; charset", "text/html; charset*=utf-8''x%", "\r\nX: y"])
def test_odd_headers_do_no_harm(header):
    kind, charset = media_type(header)
    assert isinstance(kind, str)
    assert isinstance(charset, str)


# Time


@pytest.mark.parametrize(
    "page",
    ["<div>" * 200_000 + "deep", "<b><i>" * 100_000 + "deep", "<table><tr><td>" * 60_000, "<a href=x>a</a> " * 60_000],
)
def test_pages_made_to_be_slow_are_not(page):
    start = time.process_time()
    read_html(page, "https://example.com/")
    assert time.process_time() - start < 10


async def test_the_server_goes_on_while_a_page_is_read(internet, monkeypatch):
    monkeypatch.setattr(sys.modules["agents_app.tools.web_page"], "READING_SECONDS", 60)
    internet.pages["/heavy"] = Page("<html><body>" + "<p>Some words of a long page." * 30_000)
    reading = asyncio.create_task(web_page(None, url=f"{internet.url}/heavy"))
    longest = 0.0
    while not reading.done():
        start = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - start)
    assert longest < 5
    assert (await reading).facts["cut"]


async def test_reading_has_a_time_limit(internet, monkeypatch):
    module = sys.modules["agents_app.tools.web_page"]
    monkeypatch.setattr(module, "READING_SECONDS", 0.05)
    monkeypatch.setattr(module, "read_html", lambda html, url: time.sleep(0.3))
    with pytest.raises(ToolError, match="too complicated"):
        await web_page(None, url=f"{internet.url}/article")


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("# Title\n\nShort **text**.", "Short text."),
        ("First sentence. " + "More words follow here " * 20, "First sentence."),
        ("word " * 100, ("word " * 59) + "word …"),
    ],
)
def test_an_excerpt_is_whole_sentences_where_it_can(text, excerpt):
    assert excerpt_of(text) == excerpt
