"""What a caller wrote into a TaskPushNotificationConfig, checked before anything is stored or looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from a2a.utils.errors import InvalidParamsError

MAX_CHARS = {"id": 255, "url": 2000, "token": 4096, "scheme": 64, "credentials": 8192}
SCHEME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token, RFC 9110
HEADER = re.compile(r"[!-~](?:[ -~]*[!-~])?")  # what is the same at both ends of any HTTP header


@dataclass(frozen=True, slots=True)
class Fields:
    id: str  # empty: to be made
    url: str
    token: str
    scheme: str
    credentials: str


def read_fields(json: Mapping[str, Any]) -> Fields:
    """Raises `InvalidParamsError`."""
    authentication = json.get("authentication") or {}
    if not isinstance(authentication, Mapping):
        raise wrong("authentication", "authentication must be an object with a scheme and credentials.")
    fields = Fields(
        id=_text(json, "id"),
        url=_text(json, "url"),
        token=_text(json, "token"),
        scheme=_text(authentication, "scheme", "authentication."),
        credentials=_text(authentication, "credentials", "authentication."),
    )
    _check(fields, bool(authentication))
    return fields


def wrong(field: str, words: str) -> InvalidParamsError:
    """`field` is its path in camelCase."""
    return InvalidParamsError(words, data={"violations": [(field, words)]})


def _text(json: Mapping[str, Any], name: str, prefix: str = "") -> str:
    value, at = json.get(name), f"{prefix}{name}"
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(at, f"{at} must be text.")
    if len(value) > MAX_CHARS[name]:
        raise wrong(at, f"{at} is longer than {MAX_CHARS[name]} characters, the limit here.")
    if "\0" in value:  # PostgreSQL keeps no such text
        raise wrong(at, f"{at} has a character in it that cannot be kept.")
    return value


def _check(fields: Fields, authenticated: bool) -> None:
    if not fields.url:
        raise wrong("url", "url is required: the address to which notifications are posted.")
    if authenticated and not SCHEME.fullmatch(fields.scheme):
        raise wrong(
            "authentication.scheme", "authentication.scheme must be the name of an HTTP scheme, such as Bearer."
        )
    for name, value in (("token", fields.token), ("authentication.credentials", fields.credentials)):
        if value and not HEADER.fullmatch(value):
            raise wrong(name, f"{name} may hold visible ASCII characters only: it is sent in an HTTP header.")
