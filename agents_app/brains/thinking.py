"""The loop in which every brain answers: ask the model, show its words, call its tools, ask again.

It can be left at any moment and taken up again, in another process too:

1. After each answer of the model, the answer and what led to it are saved, before its tool calls are made.
2. A tool call is made under its id; the turn remembers the result, so that making it again returns what it found.
3. When it is taken up, the saved messages are the history. If they end in tool calls, those are made, else the model
   is asked. Words that were shown after the last saved answer were taken back by the turn and come anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic_ai import Agent as Loop
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from agents_app.base import Agent, Said, Tool, ToolResult
from agents_app.brains.choice import Brain, choose_brain, read_choice
from agents_app.brains.explain import broke_off, explain
from agents_app.brains.instructions import instructions_for, prompt_in
from agents_app.brains.log import ThinkingLog, Usage, gap
from agents_app.brains.neighbours import list_neighbours
from agents_app.brains.patience import Patience
from agents_app.brains.scene import Scene
from agents_app.brains.toolset import TurnToolset
from agents_app.brains.traced import traced
from agents_app.brains.transcript import label, messages_of
from agents_app.threads import in_thread

HISTORY = 40  # messages
CHARS_PER_TOKEN = 4  # a rough measure, for budgets only
QUIET_SECONDS = 180  # the longest a provider may send nothing
MOST_LAST_REQUESTS = 3  # of a model that calls tools where it was told to answer
ANSWER_NOW = (
    "The budget of this request is used up. Answer now, in one go, with what is known from the conversation and from the "
    "tools so far. Call no tool. Say plainly what is missing."
)


class ThinkingTurn(Protocol):
    """What the loop needs of the turn that runs it."""

    agent: Agent
    message: Said
    chain: tuple[str, ...]
    answers_now: bool  # the budget was used up, and a person wants an answer without more tools

    async def history(self, limit: int = 40) -> list[Said]:
        """The conversation before `message`, oldest first."""

    async def say(self, text: str) -> None:
        """Add to the answer."""

    async def load_log(self) -> list[dict[str, Any]]:
        """Everything that `save_log` of this `think` got, in earlier runs of the task too."""

    async def save_log(self, new_messages: list[dict[str, Any]], usage: Usage) -> None:
        """Append after a model's answer; on return it is durable, with all text said so far. Usages add up."""

    async def use_keyed(self, tool: Tool, key: str, arguments: dict[str, Any]) -> ToolResult:
        """Make a call once in the task's life: recorded, shown, within its time. Several may run at once.

        `key` is at most 64 characters and unique in this `think`. Raises `ToolError`.
        """

    async def check_tokens(self, tokens: int) -> None:
        """Raises when a request of about that size does not fit what is left of the budget."""


async def think(turn: ThinkingTurn, *, prompt: str = "", tools: Sequence[Tool]) -> str:
    """Answer `turn.message`; returns the whole text. Without `prompt` the operator's holds, else the agent's own; what
    is taken up again in the middle goes on with the one it began with.

    Raises `BrainError`.
    """
    log = ThinkingLog(await turn.load_log())
    if log.is_complete:
        return log.text
    chosen = await in_thread(read_choice, turn.agent.id)
    brain = await choose_brain(turn.agent.id, chosen)
    prompt = prompt_in(log.instructions) or prompt or chosen.prompt or turn.agent.prompt
    others = await list_neighbours(turn.agent.id, without=turn.chain)
    offered = () if turn.answers_now else tools  # calls that were made already need their tools all the same
    scene = Scene(turn.agent, turn.message, await turn.history(HISTORY), offered, others)
    try:
        return await _Thinking(turn, brain, scene, log, prompt, tools).run()
    except (AgentRunError, UserError) as error:
        raise explain(error, who=brain.provider, model=brain.name) from error


class _Thinking:
    def __init__(
        self, turn: ThinkingTurn, brain: Brain, scene: Scene, log: ThinkingLog, prompt: str, tools: Sequence[Tool]
    ) -> None:
        self.turn = turn
        self.tools = tools
        self.brain = brain
        self.scene = scene
        self.log = log
        self.text = log.text
        self.instructions = instructions_for(
            scene.agent, prompt, tools=scene.tools, others=scene.others, today=datetime.now(UTC).date()
        )
        if turn.answers_now:
            self.instructions += f"\n\n{ANSWER_NOW}"

    async def run(self) -> str:
        loop = Loop(
            traced(self.brain.model),
            name=self.turn.agent.id,
            instructions=self.instructions,
            deps_type=Scene,
            toolsets=[TurnToolset(self.turn, self.tools)],
            capabilities=[Patience()],
            model_settings=self._settings(),
        )
        limits = UsageLimits(request_limit=MOST_LAST_REQUESTS) if self.turn.answers_now else None
        history = messages_of(self.scene.history, self.scene.agent.id) + self.log.messages
        question = None if self.log.messages else label(self.scene.message)
        async with loop.iter(question, message_history=history, deps=self.scene, usage_limits=limits) as run:
            saved = 0
            async for node in run:
                if Loop.is_model_request_node(node):
                    await self.turn.check_tokens(self._size_of([*run.all_messages(), node.request]))
                    async with node.stream(run.ctx) as stream:
                        await self._show(stream)
                elif Loop.is_call_tools_node(node):
                    saved += await self._save(run.new_messages()[saved:])
        return self.text

    def _settings(self) -> ModelSettings:
        settings = ModelSettings(max_retries=0, timeout=QUIET_SECONDS)
        if (
            self.turn.answers_now and self.tools
        ):  # some providers do not know the setting: the turn refuses calls as well
            settings["tool_choice"] = "none"
        return settings

    async def _show(self, stream: Any) -> None:
        said = ""
        async for event in stream:
            if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                words = event.part.content
            elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                words = event.delta.content_delta
            else:
                continue
            if words and not said:
                words = gap(self.text, words) + words
            said += words
            self.text += words
            await self.turn.say(words)

    async def _save(self, new: Sequence[ModelMessage]) -> int:
        """Save what came since the last time, before anything is done because of it; returns how many that were."""
        answers = [message for message in new if isinstance(message, ModelResponse)]
        if answers:
            if not _is_whole(answers[-1]):
                raise broke_off(self.brain.provider)
            await self.turn.save_log(self.log.add(new), _usage(answers[-1], answers[-1].model_name or self.brain.name))
        return len(new)

    def _size_of(self, messages: Sequence[ModelMessage]) -> int:
        parts = [part for message in messages for part in message.parts]
        return (
            len(self.instructions) + sum(len(str(getattr(part, "content", ""))) for part in parts)
        ) // CHARS_PER_TOKEN


def _is_whole(answer: ModelResponse) -> bool:
    """The provider itself said that this was all, and why; for reasons of its own there is no common name."""
    said = answer.finish_reason or (answer.provider_details or {}).get("finish_reason")
    return answer.state == "complete" and bool(said)


def _usage(answer: ModelResponse, model: str) -> Usage:
    return Usage(
        model=model,
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        price=price_of(answer),
    )


def price_of(answer: ModelResponse) -> float | None:
    try:
        return float(answer.cost().total_price)
    except (LookupError, ValueError, AssertionError):  # nobody knows the model's price, or the provider named no usage
        return None
