from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown import Settled, StreamedText, to_html

BLOCKS = [
    "A paragraph with **bold** and 🦉.",
    "Two lines\nof one paragraph",
    "# Heading",
    "Underlined\n===",
    "- one\n- two\n\n  more of two\n- three",
    "1. first\n2. second\n   - nested",
    "```python\nprint(1)\n\n# not a heading\n```",
    "~~~\n```\n~~~",
    "> quoted\n> twice",
    "| a | b |\n|---|--:|\n| 1 | 2 |",
    "---",
    "    indented code\n\n    goes on",
    "",
]
# Everything that means something to Markdown, in any order.
NOISE = st.text(alphabet="ab 🦉\n\r\t#*_`~->|:=+1.)(\\!&<@/", max_size=120)
patient = settings(deadline=None)  # a machine that is busy with other things is no mistake
DOCUMENTS = st.lists(st.sampled_from(BLOCKS), max_size=8).map("\n\n".join)


def streamed(text: str, cuts: list[int]) -> tuple[StreamedText, list[Settled]]:
    stream, settled = StreamedText(), []
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        settled += stream.feed(text[start:end])
    return stream, settled


@patient
@given(text=NOISE | DOCUMENTS, cuts=st.lists(st.integers(0, 999), max_size=12))
def test_what_is_settled_and_the_tail_are_the_whole_text(text: str, cuts: list[int]):
    stream, settled = streamed(text, cuts)
    offsets = [block.upto for block in settled]
    assert offsets == sorted(set(offsets))
    assert stream.tail_offset == (offsets[-1] if offsets else 0)
    assert text[: stream.tail_offset] + stream.tail == text
    assert stream.settled_html == "".join(block.html for block in settled)


@patient
@given(text=NOISE | DOCUMENTS, cuts=st.lists(st.integers(0, 999), max_size=12))
def test_the_blocks_do_not_depend_on_how_the_text_was_cut(text: str, cuts: list[int]):
    assert streamed(text, cuts)[1] == streamed(text, [])[1] == streamed(text, list(range(len(text))))[1]


@patient
@given(text=DOCUMENTS, cuts=st.lists(st.integers(0, 999), max_size=12))
def test_the_blocks_together_look_like_the_whole(text: str, cuts: list[int]):
    stream, _ = streamed(text, cuts)
    assert stream.settled_html + to_html(stream.tail) == to_html(text)


@patient
@given(text=NOISE | DOCUMENTS, cut=st.integers(0, 999))
def test_a_new_reader_joins_between_two_blocks(text: str, cut: int):
    """Whoever renders the text so far from its beginning comes to the same borders as who followed it."""
    follower, _ = streamed(text, [cut])
    newcomer = StreamedText()
    newcomer.feed(text)
    assert (newcomer.tail_offset, newcomer.tail) == (follower.tail_offset, follower.tail)


@pytest.mark.parametrize(
    ("text", "upto"),
    [
        ("# Heading\n", 10),
        ("A paragraph.\n\n", 13),
        ("```\ncode\n```\n", 13),
        ("| a |\n|---|\n| 1 |\n\n", 18),
        ("- a\n- b\n\nNext", 0),
        ("- a\n- b\n\nNext\n", 8),
    ],
)
def test_a_block_settles_as_soon_as_nothing_can_change_it(text: str, upto: int):
    stream = StreamedText()
    stream.feed(text)
    assert stream.tail_offset == upto


@pytest.mark.parametrize(
    "text", ["A paragraph", "A paragraph\n", "- a\n\n", "```\ncode\n\n", "Maybe a heading\n", "| a |\n|---|\n"]
)
def test_a_block_that_may_change_stays_open(text: str):
    stream = StreamedText()
    assert stream.feed(text) == []
    assert stream.tail == text


def test_offsets_are_those_of_the_whole_message():
    stream = StreamedText(offset=100)
    assert stream.feed("🦉🦉\n\nnext") == [Settled(103, "<p>🦉🦉</p>\n")]
    assert (stream.tail_offset, stream.tail) == (103, "\nnext")


def test_what_is_open_can_be_settled_when_something_else_follows():
    stream = StreamedText()
    stream.feed("Let me look")
    assert stream.settle_all() == Settled(11, "<p>Let me look</p>\n")
    assert stream.settle_all() is None
    assert stream.feed(" that up.\n\n") == [Settled(21, "<p>that up.</p>\n")]


def test_blank_text_is_settled_silently():
    stream = StreamedText()
    stream.feed("One.\n\n")
    assert stream.settle_all() is None
    assert (stream.tail_offset, stream.tail) == (6, "")


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + "x = 1\n" * 20_000,
        "- an item of a list\n" * 5_000,
        "a line of one paragraph\n" * 5_000,
        "**a** line that looks like the beginning of a list\n" * 2_000,
        "word " * 20_000,
    ],
    ids=["code", "list", "paragraph", "markers", "line"],
)
def test_a_block_that_stays_open_costs_no_more_than_rendering_it_a_few_times(text: str):
    began = time.perf_counter()
    to_html(text + "\n")
    once = time.perf_counter() - began
    began = time.perf_counter()
    stream = StreamedText()
    for start in range(0, len(text), 8):
        stream.feed(text[start : start + 8])
    assert time.perf_counter() - began < 20 * once + 5
