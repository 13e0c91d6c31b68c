"""A webhook's receiver."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from metrics.tests.listening import listening


@dataclass
class Receiver:
    address: str = ""
    received: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    body: bytes = b""

    def signature(self, secret: str) -> str:
        return f"sha256={hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()}"


@contextmanager
def receiving(status: int = 204) -> Iterator[Receiver]:
    receiver = Receiver()

    def take(_: str, headers: dict[str, str], body: bytes) -> int:
        receiver.body = body
        receiver.received.append((headers, json.loads(body)))
        return status

    with listening(take) as address:
        receiver.address = f"{address}/hook"
        yield receiver
