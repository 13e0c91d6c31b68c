"""Takes secrets out of what is kept of the wire: headers, addresses and bodies, whole or cut off anywhere.

Bodies are not parsed and written anew: what is kept stays as it was on the wire, and a body that is cut off, broken or a
stream of events is masked like any other. What names a secret is masked whatever it holds; tokens of this product, bearer
tokens and JWTs are masked wherever they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote_plus

MASK = "$TOKEN"
RAW_SHOWN_CHARS = 60
SHORTEST_SECRET = 4  # shorter ones would blot out half of the text
LONGEST_NAME = 64

_SECRET = re.compile(
    r"token|passw(?:or)?d|passphrase|secret|credential|authori[sz]ation|cookie|jwt"
    r"|(?:api|access|private|auth|shared|signing|subscription)[-_. ]?key",
    re.IGNORECASE,
)
# Pages of a list and what a card says of its security schemes: names like those of secrets, and nothing to hide.
_HARMLESS = re.compile(
    r"(?:page[-_ ]?token|authorization[-_ ]?code|urls?|uri|endpoint|types?|schemes?)$", re.IGNORECASE
)
_COUNT = re.compile(r"tokens", re.IGNORECASE)  # a number under such a name is one
_QUERY_NAMES = frozenset(("key", "sig", "signature", "code", "auth"))
_SCHEME = re.compile(r"(bearer|basic|digest|apikey|token|negotiate) ", re.IGNORECASE)

# Without one of these, or "token", in a text none of the patterns below finds anything. Looking is a hundred times as fast.
_HINTS = (
    *("pass", "secret", "credential", "authori", "cookie", "jwt", "key", "tkr_", "bearer", "eyj"),
    *('"raw"', '"bytes"', "\\u00", "://"),
)
_QUERY_HINTS = ("sig=", "signature=", "code=", "auth=")
_WORDS = re.compile(
    r"(?P<ours>tkr_[\w-]{8,})|(?P<jwt>eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?)|(?P<bearer>(?i:bearer) +)[\w.~+/=-]{16,}",
    re.ASCII,
)
_QUERY = re.compile(r"(?<=[?&])([^=&?#\s\"]+)=([^&#\s\"'<>\\]*)")
_FORM = re.compile(r"(?:\A|(?<=&))([^=&\s{\[\"]+)=([^&\s]*)")
_USERINFO = re.compile(r"(?<=://)[^/?#\s@\"]+(?=@)")
_LAST_WORD = re.compile(r"[^\s\"{}\[\],]{1,512}\Z")
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_JSON = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)
_COLON = re.compile(r"\s*:")


def is_secret_name(name: str) -> bool:
    """Whether a header, field or query key of that name holds a secret."""
    return _is_secret(name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME // 2] + name[-LONGEST_NAME // 2 :])


@lru_cache(maxsize=2048)
def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _HARMLESS.search(name)


def is_secret_header(name: str) -> bool:
    return is_secret_name(name) or name.lower().endswith("key")


def mask_header(name: str, value: str, secrets: Iterable[str] = ()) -> str:
    """A header's value. Of `Authorization` the scheme stays."""
    if is_secret_header(name):
        scheme = _SCHEME.match(value)
        return f"{scheme[1]} {MASK}" if scheme else MASK
    return mask_text(value, secrets)


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """A body, or any other text, without its secrets. `secrets`: values that are known to be some."""
    if secrets:
        for form in _forms(secrets):
            text = text.replace(form, MASK)
    if not _may_hold_secrets(text.lower()):
        return text
    text = _ESCAPED.sub(_plain_character, text)
    text = "".join(_masked_json(text))
    text = _QUERY.sub(_masked_query, text)
    text = _FORM.sub(_masked_query, text)
    text = _USERINFO.sub(MASK, text)
    return _WORDS.sub(lambda found: f"{found['bearer'] or ''}{MASK}", text)


def without_beginning(text: str, secrets: Iterable[str] = ()) -> str:
    """A text that was cut off, without the beginning of a known secret at its end."""
    for form in _forms(secrets):
        for length in range(min(len(form), len(text)), 0, -1):
            if text.endswith(form[:length]):
                return text[:-length]
    return text


def without_last_word(text: str) -> str:
    """A masked text that had been cut off, without what may be the beginning of a token."""
    return _LAST_WORD.sub("", text)


def _may_hold_secrets(lower: str) -> bool:
    # Every page of every list has a page token, and lists are long.
    if lower.count("token") > lower.count("pagetoken"):
        return True
    for hint in _HINTS:
        if hint in lower:
            return True
    return "=" in lower and any(hint in lower for hint in _QUERY_HINTS)


def _forms(secrets: Iterable[str]) -> Iterator[str]:
    """A known secret as it may be written: plain, in JSON, in an address; the longest first."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
            forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *quoted}
            yield from sorted(forms, key=len, reverse=True)


def _plain_character(found: re.Match[str]) -> str:
    """JSON may write any letter of a name as its number."""
    character = chr(int(found[1], 16))
    return found[0] if character in '"\\\x7f' else character


def _masked_query(found: re.Match[str]) -> str:
    name = unquote_plus(found[1])
    secret = is_secret_name(name) or name.lower() in _QUERY_NAMES
    return f"{found[1]}={MASK}" if secret and found[2] else found[0]


def _masked_json(text: str) -> Iterator[str]:
    """The text in pieces. Reads JSON word by word, so that it may end, or be broken, anywhere."""
    name, done = "", 0
    inside = [""]  # for each open bracket the name of the secret it belongs to, or nothing
    for found in _JSON.finditer(text):
        word = found[0]
        if word in "{[":
            inside.append(inside[-1] or (name if is_secret_name(name) else ""))
            name = ""
        elif word in "}]":
            inside = inside[:-1] or [""]
        elif word == ",":
            name = ""
        elif word[0] != ":" and _COLON.match(text, found.end()):
            name = word.strip("\"'")
        elif word != ":":
            yield text[done : found.start()]
            yield _masked_value(word, inside[-1] or name)
            done = found.end()
    yield text[done:]


def _masked_value(word: str, name: str) -> str:
    if word[0] == '"' and name in ("raw", "bytes") and len(word) > 2 * RAW_SHOWN_CHARS:
        return f'{word[: RAW_SHOWN_CHARS + 1]}… ({len(word) - 2:,} characters)"'
    if not is_secret_name(name) or word in ('""', "null", "true", "false"):
        return word
    return word if word[0] != '"' and _COUNT.search(name) else f'"{MASK}"'
