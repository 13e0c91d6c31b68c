"""Markdown to safe HTML: all at once (`to_html`), or block by block while a text is still growing (`StreamedText`)."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any, NamedTuple

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from chat.mentions import MENTION

HIGHLIGHT_MAX_CHARS = 50_000
CACHED_TEXTS = 512
CACHED_MAX_CHARS = 20_000

ALIGNMENT = re.compile(r"text-align:(left|center|right)")

TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "button",
        "code",
        "div",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    ),
    *("hr", "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "button": {"type", "class"},
    "code": {"class"},
    "div": {"class", "tabindex"},
    "figure": {"class"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "span": {"class", "data-agent"},
    "td": {"class"},
    "th": {"class"},
}

Tokens = Sequence[Token]
Env = MutableMapping[str, Any]


def to_html(text: str) -> str:
    """Safe HTML of a whole text. Short texts are remembered: the same message is rendered for many readers."""
    return _remembered(text) if len(text) <= CACHED_MAX_CHARS else _render(text)


@lru_cache(CACHED_TEXTS)
def _remembered(text: str) -> str:
    return _render(text)


def _render(text: str) -> str:
    return _sanitiser().clean(_parser().render(text))


@cache
def _sanitiser() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
    parser.enable(["table", "strikethrough", "linkify"])
    if parser.linkify:  # "settings.py" is a file, not a page in Paraguay
        parser.linkify.set({"fuzzy_link": False})
    parser.core.ruler.after("text_join", "mention", _find_mentions)
    for name, rule in RENDER_RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _find_mentions(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children and "@" in block.content:
            block.children = [part for token in block.children for part in _with_mentions(token)]


def _with_mentions(token: Token) -> list[Token]:
    if token.type != "text" or "@" not in token.content:
        return [token]
    parts, end = [], 0
    for found in MENTION.finditer(token.content):
        parts += [_text(token.content[end : found.start()]), Token("mention", "span", 0, content=found[0])]
        end = found.end()
    return [*parts, _text(token.content[end:])]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _mention(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    name = escape(tokens[index].content)
    return f'<span class="mention" data-agent="{name[1:].lower()}">{name}</span>'


def _image(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    """A link in its place: loading a remote image would tell a stranger who reads this, and when."""
    token = tokens[index]
    address = str(token.attrs.get("src", ""))
    label = self.renderInlineAsText(token.children or [], options, env) or address
    return f'<a href="{escape(address)}">{escape(label)}</a>'


def _code(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    token = tokens[index]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    return (
        f'<figure class="code"><figcaption><span>{escape(language or "text")}</span>'
        '<button type="button" class="code-copy">Copy</button></figcaption>'
        f'<pre tabindex="0"><code class="highlight">{_highlighted(token.content, language)}</code></pre></figure>\n'
    )


def _highlighted(source: str, language: str) -> str:
    if not language or len(source) > HIGHLIGHT_MAX_CHARS:
        return escape(source)
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(source)
    return highlight(source, lexer, HtmlFormatter(nowrap=True))


def _cell(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    """The page's policy forbids style attributes, so the alignment becomes a class."""
    token = tokens[index]
    aligned = ALIGNMENT.search(str(token.attrs.get("style", "")))
    return f'<{token.tag} class="{aligned[1]}">' if aligned else f"<{token.tag}>"


def _table_open(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_close(self: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: Env) -> str:
    return "</table></div>\n"


RENDER_RULES = {
    "mention": _mention,
    "image": _image,
    "fence": _code,
    "code_block": _code,
    "table_open": _table_open,
    "table_close": _table_close,
    "th_open": _cell,
    "td_open": _cell,
}


class Settled(NamedTuple):
    """One finished block: the text from the end of the block before it up to character `upto`, as HTML."""

    upto: int
    html: str


NEWLINE = re.compile(r"\r\n?|\n")
MARKER = re.compile(r" {0,3}(?:[#>*+=_~`|:-]|\d{1,9}[.)])")
IN_LIST = re.compile(r"[ \t]*(?:$|[-+*](?:\s|$)|\d{1,9}[.)](?:\s|$))|[ \t]{2}|\t")
ENDS_AT_ONCE = {"heading_open", "hr"}
ENDS_AT_BLANK_LINE = {"paragraph_open", "table_open", "blockquote_open"}
LISTS = {"bullet_list_open", "ordered_list_open"}
UNSETTLED_GROWTH = 1.25  # after a parse of a long tail that settled nothing, wait until it has grown by this factor
LONG_TAIL_CHARS = 2_000


class StreamedText:
    """A Markdown text that grows. Says which blocks are finished, so that each is rendered once and never again.

    Works line by line, so the blocks do not depend on how the text was cut into pieces. Offsets are characters
    (code points) of the whole message. A line decides whether parsing could find a finished block: most do not, an
    open code fence or list is not parsed again for every line, and the cost stays close to linear.
    """

    def __init__(self, offset: int = 0) -> None:
        self.tail_offset = offset
        self._settled: list[str] = []
        self._rest: list[str] = []  # the line that is still open
        self._lines: list[str]  # complete lines of the tail
        self._size: int  # of them
        self._parse_at: float  # the size from which parsing may be worth it
        self._open: str  # type of the block at the tail's end
        self._fence: re.Pattern[str] | None  # what closes it, when it is a code fence
        self._after_blank: bool
        self._forget_open_block()

    @property
    def settled_html(self) -> str:
        return "".join(self._settled)

    @property
    def tail(self) -> str:
        return "".join(self._lines + self._rest)

    def feed(self, text: str) -> list[Settled]:
        settled: list[Settled] = []
        *lines, rest = text.split("\n")
        for line in lines:
            settled += self._add_line("".join([*self._rest, line, "\n"]))
            self._rest = []
        if rest:
            self._rest.append(rest)
        return settled

    def settle_all(self) -> Settled | None:
        """Finish what is open: something other than text follows in the message."""
        text = self.tail
        self._lines, self._rest = [text], []
        settled = self._settle([len(text)]) if text.strip() else []
        if not settled:
            self._drop_lines(len(text))
        return settled[0] if settled else None

    def _add_line(self, line: str) -> list[Settled]:
        self._lines.append(line)
        self._size += len(line)
        promising = self._may_end_a_block(line)
        self._after_blank = not line.strip()
        return self._settle(self._finished()) if promising and self._size >= self._parse_at else []

    def _may_end_a_block(self, line: str) -> bool:
        """A cheap guess that is never wrong for good: the next promising line, or `settle_all`, makes up for it."""
        if self._fence:
            return bool(self._fence.match(line))
        if self._open in LISTS:
            return not IN_LIST.match(line)
        if not line.strip():
            return not self._after_blank
        return (self._after_blank and bool(self._open)) or bool(MARKER.match(line))

    def _finished(self) -> list[int]:
        """Ends of the tail's finished blocks, in characters of the tail."""
        source = "".join(self._lines)
        blocks = [t for t in _block_parser().parse(source) if t.level == 0 and t.map and t.nesting >= 0]
        if not blocks:
            return []
        starts = [0, *(newline.end() for newline in NEWLINE.finditer(source))]
        ends = [_trimmed(source, starts[block.map[0]]) for block in blocks[1:] if block.map]
        last = blocks[-1]
        self._open, self._fence = last.type, _closing_fence(last)
        if self._is_over(last, source[starts[last.map[0]] :] if last.map else ""):
            ends.append(_trimmed(source, len(source)))
        return ends

    def _is_over(self, block: Token, source: str) -> bool:
        if self._fence:
            lines = NEWLINE.split(source.removesuffix("\n"))
            return len(lines) > 1 and bool(self._fence.match(lines[-1]))
        blank_line_follows = len(source) > _trimmed(source, len(source))
        return block.type in ENDS_AT_ONCE or (block.type in ENDS_AT_BLANK_LINE and blank_line_follows)

    def _settle(self, ends: list[int]) -> list[Settled]:
        source, begin, settled = "".join(self._lines), 0, []
        for end in ends:
            settled.append(Settled(self.tail_offset + end, _render(source[begin:end])))
            begin = end
        self._settled += [block.html for block in settled]
        if ends:
            self._drop_lines(begin)
        else:
            self._parse_at = self._size * UNSETTLED_GROWTH if self._size > LONG_TAIL_CHARS else 0
        return settled

    def _drop_lines(self, characters: int) -> None:
        open_block, fence = self._open, self._fence
        left = "".join(self._lines)[characters:]
        self.tail_offset += characters
        self._forget_open_block()
        if left.strip():
            self._lines, self._size, self._open, self._fence = [left], len(left), open_block, fence
        elif left:
            self._lines, self._size, self._after_blank = [left], len(left), True

    def _forget_open_block(self) -> None:
        self._lines = []
        self._size = 0
        self._parse_at = 0.0
        self._open = ""
        self._fence = None
        self._after_blank = True


@cache
def _block_parser() -> MarkdownIt:
    """Finds blocks only; what is inside them is parsed once, when they are rendered."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _closing_fence(block: Token) -> re.Pattern[str] | None:
    if block.type != "fence":
        return None
    return re.compile(rf" {{0,3}}{re.escape(block.markup[0])}{{{len(block.markup)},}}[ \t]*\r?$")


def _trimmed(source: str, end: int) -> int:
    """The end of the last line before `end` that is not blank: where a block ends, whenever that is noticed."""
    last = len(source[:end].rstrip(" \t\r\n"))
    newline = NEWLINE.search(source, last, end)
    return newline.end() if newline else end
