"""How often one person may do something, whichever way it comes in. The limits are settings."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from agents_app.rates import Rates

_api, _frames, _messages = Rates("api"), Rates("frames"), Rates("messages")


async def count_call(user_id: UUID, token_id: UUID | None = None) -> None:
    """A call of the REST API: of the person, and of the program. Raises `RateExceeded`."""
    keys = [f"person:{user_id}", *([f"token:{token_id}"] if token_id else ())]
    await _api.count(settings.RATE_PER_MINUTE_API, *keys)


async def count_frame(user_id: UUID) -> None:
    """A frame of a browser. Raises `RateExceeded`."""
    await _frames.count(settings.RATE_PER_MINUTE_FRAMES, str(user_id))


async def count_message(user_id: UUID) -> None:
    """A message that is to be saved. Raises `RateExceeded`."""
    await _messages.count(settings.RATE_PER_MINUTE_MESSAGES, str(user_id))
