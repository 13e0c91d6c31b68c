"""Who may call now: a token or none, and how often. One for each process that answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from agents_app.a2a import caller as callers
from agents_app.a2a.caller import Caller
from agents_app.a2a.errors import Unauthenticated
from agents_app.a2a.limits import CallRates
from agents_app.a2a.open_streams import OpenStream, OpenStreams


class Admission:
    def __init__(self) -> None:
        self._rates = CallRates()
        self._streams = OpenStreams()

    async def admit(self, headers: Mapping[str, str], address: str) -> Caller:
        """Raises `Unauthenticated` and `TooMany`."""
        try:
            caller = await callers.identify(headers, address)
        except Unauthenticated:
            await self._rates.count(f"address:{address}")  # guessing is counted too
            raise
        await self._rates.count(caller.key)
        return caller

    def one_more_stream(self, caller: Caller) -> AbstractContextManager[OpenStream]:
        """Raises `TooMany`."""
        return self._streams.one_more(caller)
