"""How much one caller may ask for. Over the limit is a clear refusal that says when to come again, never a hang."""

from __future__ import annotations

from django.conf import settings

from agents_app.a2a.errors import TooMany
from agents_app.rates import RateExceeded, Rates


class CallRates:
    """Calls of each caller in this minute."""

    def __init__(self) -> None:
        self._rates = Rates("a2a")

    async def count(self, key: str) -> None:
        """Raises `TooMany`."""
        try:
            await self._rates.count(settings.A2A_RATE_PER_MINUTE, key)
        except RateExceeded as exceeded:
            raise TooMany(f"At most {exceeded.limit:,} calls a minute.", exceeded.retry_after) from None
