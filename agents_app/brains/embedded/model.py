"""The embedded brain, as a language model that the same loop runs as any other.

It calls a tool or says something. With a tool's result before it, it words that; else it looks for an intent; what is
neither small talk nor a matter for a tool, the embedded language model writes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic_ai import RunContext
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, ModelResponseStreamEvent, ToolReturnPart
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from agents_app.base import Agent
from agents_app.brains.embedded import free_form, language_model
from agents_app.brains.embedded.heard import Call, Heard, Talk
from agents_app.brains.embedded.intents import find_intent, without_names
from agents_app.brains.embedded.language_model import Counted, NoLanguageModel
from agents_app.brains.embedded.wording import CONNECT, HINT, Voice, word_result
from agents_app.brains.scene import Scene

SMALL = (
    f"Without a provider I think with **{language_model.NAME}**, a tiny language model inside this server: good for my "
    f"tools, weak at knowledge. For a stronger one, {CONNECT}."
)
NONE = f"No language model is connected: I recognise what my tools can do, and no more. To change that, {CONNECT}."


class EmbeddedModel(Model[None]):
    _announces_lookalike_notes = False

    @property
    def model_name(self) -> str:
        return language_model.NAME if language_model.is_available() else "embedded"

    @property
    def system(self) -> str:
        return "embedded"

    @property
    def label(self) -> str:
        return f"Embedded · {language_model.NAME if language_model.is_available() else 'tools only'}"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        raise NotImplementedError("The embedded brain only streams.")

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        if run_context is None:
            raise TypeError("The embedded brain needs the scene it answers in.")
        yield EmbeddedResponse(model_request_parameters, run_context.deps, _results(messages), self.model_name)


def _results(messages: Sequence[ModelMessage]) -> list[ToolReturnPart]:
    last = messages[-1]
    return [part for part in last.parts if isinstance(part, ToolReturnPart)] if isinstance(last, ModelRequest) else []


@dataclass
class EmbeddedResponse(StreamedResponse):
    _scene: Scene
    _results: list[ToolReturnPart]
    _model_name: str
    _counted: Counted = field(default_factory=Counted)
    _timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def _get_event_iterator(self) -> AsyncIterator[ModelResponseStreamEvent]:
        async for piece in self._answer():
            if isinstance(piece, Call):
                yield self._parts_manager.handle_tool_call_part(
                    vendor_part_id="call",
                    tool_name=piece.tool,
                    args=dict(piece.arguments),
                    tool_call_id=f"call_{uuid4().hex}",
                )
            else:
                for event in self._parts_manager.handle_text_delta(vendor_part_id="text", content=piece):
                    yield event
        self._usage = RequestUsage(input_tokens=self._counted.read, output_tokens=self._counted.written)
        self.finish_reason = "stop"

    async def close_stream(self) -> None:
        """Nothing is held open: whoever stops reading stops the writing."""

    async def _answer(self) -> AsyncIterator[str | Call]:
        intent = find_intent(_heard(self._scene))
        if self._results:
            topic = intent.topic if isinstance(intent, Call) else ""
            yield "\n\n".join(self._worded(result, topic) for result in self._results)
        elif isinstance(intent, Talk):
            yield self._voice().say(intent.topic, intent.facts)
        elif intent is not None:
            yield intent
        else:
            async for piece in self._written():
                yield piece

    def _worded(self, result: ToolReturnPart, topic: str) -> str:
        found: dict[str, Any] = result.metadata or {"error": str(result.content)}
        if "error" in found:
            return self._voice().say("tool:error", found)
        facts = dict(found["facts"])
        if result.tool_name == "ask_agent":
            facts["agent_name"] = _name_of(str(facts["agent"]), self._scene)
        return word_result(self._voice(), result.tool_name, topic, str(result.content), facts, self._scene.message.text)

    async def _written(self) -> AsyncIterator[str]:
        scene, voice = self._scene, self._voice()
        question = without_names(scene.message.text, _names(scene.agent))
        prompt = free_form.prompt_for(question, scene.history, scene.agent.id)
        begun = False
        try:
            async for piece in free_form.write(prompt, self._counted):
                if not begun and (lead := voice.say("free")):
                    yield f"{lead}\n\n"
                begun = True
                yield piece
        except NoLanguageModel:
            yield voice.say("no_words")
            return
        if not begun:
            yield voice.say("lost")
        elif scene.message.role == "user" and not any(HINT in said.text for said in scene.history):
            yield f"\n\n{HINT}"

    def _voice(self) -> Voice:
        agent = self._scene.agent
        brain = SMALL if language_model.is_available() else NONE
        about = {"name": agent.name, "description": agent.description, "skills": _skills(agent), "brain": brain}
        return Voice(agent, self._scene.message.id, about)

    @property
    def model_name(self) -> str:
        """What wrote the answer: where the tools' facts were enough, no language model did."""
        return self._model_name if self._counted.written else "embedded"

    @property
    def provider_name(self) -> str:
        return "embedded"

    @property
    def provider_url(self) -> None:
        return None

    @property
    def timestamp(self) -> datetime:
        return self._timestamp


def _heard(scene: Scene) -> Heard:
    return Heard(
        text=scene.message.text,
        names=_names(scene.agent),
        tools=scene.tools,
        others=scene.others,
        earlier=[said.text for said in reversed(scene.history) if said.role == "user"],
    )


def _names(agent: Agent) -> tuple[str, ...]:
    """What people call it: the id, the whole name, the first name."""
    return tuple(dict.fromkeys((agent.id, agent.name, agent.name.split()[0])))


def _name_of(agent_id: str, scene: Scene) -> str:
    return next((other.name for other in scene.others if other.id == agent_id), agent_id)


def _skills(agent: Agent) -> str:
    lines = [f"- **{skill.name}**: {skill.description}" for skill in agent.skills]
    return "\n".join(
        line + (f" Try “{skill.examples[0]}”" if skill.examples else "")
        for line, skill in zip(lines, agent.skills, strict=True)
    )
