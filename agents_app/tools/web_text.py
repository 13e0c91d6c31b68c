"""What a page says, without what stands around it. Plain functions, slow ones among them: call them in a thread.

What reads pages is imported when there is one to read: whoever lists the tools, as checks do, needs none of it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

READ_MAX_CHARS = 1_000_000  # of HTML; extraction takes up to 3 s for as much
FAST_FROM_CHARS = 200_000  # above it, only the first of trafilatura's methods
EXCERPT_MAX_CHARS = 300

MARK = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
META_CHARSET = re.compile(
    rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]+encoding=[\"']([\w.:-]+)", re.IGNORECASE
)
# Browsers read these names as their larger relatives, so pages rely on it.
READ_AS = {
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932", "euc-kr": "cp949",
    "iso-8859-9": "cp1254", "idna": "", "punycode": "",  # Python's codecs for host names, slow on a whole page
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WebText:
    title: str
    text: str
    excerpt: str  # one or two sentences on what it is about


def media_type(content_type: str) -> tuple[str, str]:
    """("text/html", "utf-8") of "text/html; charset=UTF-8"; either may be empty."""
    header = Message()
    header["Content-Type"] = content_type
    charset = header.get_param("charset") if content_type else ""
    return content_type.split(";", maxsplit=1)[0].strip().lower(), charset.strip().lower() if isinstance(
        charset, str
    ) else ""


def decode(body: bytes, charset: str) -> str:
    """As browsers do: a byte order mark, the header, the page's own word, and only then a guess."""
    for mark, encoding in MARK:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    declared = META_CHARSET.search(body[:2048])
    for name in (charset, (declared[1] or declared[2]).decode() if declared else ""):
        try:
            return body.decode(READ_AS.get(name.lower(), name), "replace")
        except (LookupError, ValueError):  # no such character set, or a codec that is none
            continue
    try:
        return body.decode()
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        guess = from_bytes(body[:20_000]).best()
        return body.decode(guess.encoding if guess else "cp1252", "replace")


def read_html(html: str, url: str) -> WebText:
    import trafilatura
    from trafilatura.settings import Document

    html = html[:READ_MAX_CHARS]
    page = trafilatura.bare_extraction(
        html,
        url=url,
        with_metadata=True,
        include_comments=False,
        include_formatting=True,
        fast=len(html) > FAST_FROM_CHARS,
    )
    if page is None or isinstance(page, dict):
        page = Document()
    # A page that is a list of links has no article to extract; then everything that can be read on it.
    text = (page.text or trafilatura.html2txt(html)).strip()
    return WebText((page.title or "").strip(), text, excerpt_of(page.description or text))


def read_plain(text: str, url: str) -> WebText:
    """Text that is no HTML; its title is the file's name."""
    return WebText(urlsplit(url).path.rsplit("/", 1)[-1], text.strip(), excerpt_of(text[:2_000]))


def excerpt_of(text: str) -> str:
    """The first sentences, as far as they fit."""
    flat = " ".join(re.sub(r"^#+ .*$|[*_`|]", "", text, flags=re.MULTILINE).split())
    if len(flat) <= EXCERPT_MAX_CHARS:
        return flat
    cut = flat[:EXCERPT_MAX_CHARS]
    sentences = re.match(r".*[.!?…](?=\s)", cut, re.DOTALL)
    return sentences[0] if sentences else cut.rsplit(" ", 1)[0] + " …"
