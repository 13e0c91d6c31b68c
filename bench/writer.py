"""Somebody who writes as soon as what they wrote is saved."""

from __future__ import annotations

import time

from bench.reader import Reader

NEVER_SECONDS = 1000.0  # the answer waits so long: what is measured is the writing


class Writer(Reader):
    def __init__(self, conversation: str) -> None:
        super().__init__(conversation)
        self.waits: list[float] = []

    def write(self) -> None:
        self.written_at = time.monotonic()
        self.ask(self.written_at + NEVER_SECONDS, 0)

    def hear(self, payload: bytes) -> None:
        if b'"message.saved"' in payload[:40]:
            self.waits.append(time.monotonic() - self.written_at)
            self.write()
        elif b'"session.opened"' in payload[:40] or b'"conversation.opened"' in payload[:60]:
            super().hear(payload)
