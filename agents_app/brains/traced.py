"""Spans of language models as OpenTelemetry's conventions name them, without what is said. pydantic-ai makes them: it finds
the settings in the model and traces the whole loop."""

from __future__ import annotations

from pydantic_ai.models import Model
from pydantic_ai.models.instrumented import InstrumentationSettings, InstrumentedModel

from accounts import tracing


def traced(model: Model) -> Model:
    if not tracing.is_on():
        return model
    settings = InstrumentationSettings(
        tracer_provider=tracing.provider(),
        include_content=False,
        include_binary_content=False,
        include_model_request_parameters=False,  # they hold the descriptions of all tools
    )
    return InstrumentedModel(model, settings)
