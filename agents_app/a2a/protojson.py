"""JSON as it comes from outside, and between protobuf's messages and the JSON that the operations speak."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, TypeVar

from a2a.utils.errors import JSONParseError
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

Json = dict[str, Any]
M = TypeVar("M", bound=Message)

EXACT = 2**53  # protobuf's Value has only floating-point numbers; up to here each whole number is itself
DEEPEST = 1000


def loads(body: bytes) -> Any:
    """Numbers are finite, and the text is UTF-8. Raises `JSONParseError`."""
    try:
        return _decoder.decode(body.decode())
    except (ValueError, RecursionError):
        raise JSONParseError("The body is not JSON.") from None


def to_json(message: Message) -> Json:
    """As the bindings that speak JSON have it: whole numbers stay whole."""
    found: Json = _whole(MessageToDict(message))
    return found


def to_message(json: Json, message: M, *, ignore_unknown: bool = False) -> M:
    """Raises `google.protobuf.json_format.ParseError`."""
    return ParseDict(json, message, ignore_unknown_fields=ignore_unknown, max_recursion_depth=DEEPEST)


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and the infinities are Python's, not JSON's


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
