from __future__ import annotations

import pytest

from chat.markdown import HIGHLIGHT_MAX_CHARS, to_html


def test_it_works():
    assert to_html("Hello **you**") == "<p>Hello <strong>you</strong></p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        '[x](https://a.example "\\" onmouseover=alert(1) ")',
        '@"><script>alert(1)</script>',
        "```<script>\n</code><script>alert(1)</script>\n```",
        '```x"onclick="alert(1)\ncode\n```',
        "| <script> |\n|---|\n| <svg onload=alert(1)> |",
        "<a href='javascript:alert(1)'>x</a>",
        "<style>*{display:none}</style>",
    ],
)
def test_nothing_that_is_written_runs(text: str):
    html = to_html(text)
    assert not any(tag in html for tag in ("<script", "<img", "<svg", "<style", "<iframe"))
    assert 'href="javascript' not in html.lower()
    assert 'href="data' not in html.lower()
    assert not any(f"<{tag} {event}" in html for tag in ("a", "span", "code") for event in ("onclick", "onmouseover"))


def test_links_open_elsewhere_and_tell_nothing():
    html = to_html("see https://example.org/a and [this](http://example.org)")
    assert html.count('target="_blank"') == html.count('rel="noopener noreferrer nofollow"') == 2


def test_a_file_name_is_no_link():
    assert "<a" not in to_html("look into settings.py and README.md")


def test_a_remote_image_is_a_link_so_that_nobody_learns_who_reads_it():
    html = to_html("![a map](https://tracker.example/p.png)")
    assert "<img" not in html
    assert '<a href="https://tracker.example/p.png"' in html
    assert ">a map</a>" in html


def test_code_says_its_language_and_can_be_copied():
    html = to_html("```python\nprint(1)\n```")
    assert '<figcaption><span>python</span><button type="button" class="code-copy">Copy</button>' in html
    assert '<span class="nb">print</span>' in html


@pytest.mark.parametrize("language", ["", "no-such-language", "<b>"])
def test_code_of_an_unknown_language_is_shown_as_it_is(language: str):
    assert '<code class="highlight">a &lt; b\n</code>' in to_html(f"```{language}\na < b\n```")


def test_very_long_code_is_not_highlighted():
    html = to_html("```python\n" + "x = 1\n" * HIGHLIGHT_MAX_CHARS + "```")
    assert "<span class=" not in html


def test_a_table_scrolls_by_itself_and_carries_no_style_attribute():
    html = to_html("|a|b|\n|:-:|-:|\n|1|2|")
    assert '<div class="table" tabindex="0"><table>' in html
    assert '<th class="center">a</th>' in html
    assert '<td class="right">2</td>' in html
    assert "style=" not in html


def test_a_line_break_is_kept_as_it_was_typed():
    assert "one<br>\ntwo" in to_html("one\ntwo")


def test_a_mention_is_marked():
    html = to_html("Ask @Chloe, or (@phil-connors).")
    assert '<span class="mention" data-agent="chloe">@Chloe</span>,' in html
    assert '<span class="mention" data-agent="phil-connors">@phil-connors</span>)' in html


@pytest.mark.parametrize("text", ["`@chloe`", "```\n@chloe\n```", "ada@chloe.example", "https://x.example/@chloe"])
def test_what_only_looks_like_a_mention_is_not_marked(text: str):
    assert "mention" not in to_html(text)


def test_a_mention_may_hold_underscores():
    assert 'data-agent="phil_connors"' in to_html("@phil_connors_ hi".replace("_ ", " "))
