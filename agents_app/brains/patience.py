"""Asks a provider again that was busy or broken, as long as nothing of the answer was shown."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ModelAPIError, RetryModelRequest
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext

from agents_app.brains.explain import may_succeed_later

LONGEST_SECONDS = 20.0  # a provider that asks for more is not waited for


class Patience(AbstractCapability[Any]):
    """Its presence makes pydantic-ai wait for a stream's first event before it hands the stream over."""

    pauses: ClassVar[tuple[float, ...]] = (0.5, 2.0)  # seconds before the second and the third attempt

    async def on_model_request_error(
        self, ctx: RunContext[Any], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        if request_context.attempt > len(self.pauses) or not may_succeed_later(error):
            raise error
        pause = self.pauses[request_context.attempt - 1]
        if isinstance(error, ModelAPIError) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        if pause > LONGEST_SECONDS:
            raise error
        await asyncio.sleep(pause)
        raise RetryModelRequest
