"""What an agent author sees: `Agent`, `Turn`, `Tool` and the small values they exchange.

Plain Python: nothing here knows Django, browsers or the A2A wire. `docs/agents.md` walks through it.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import UUID

if TYPE_CHECKING:
    from pydantic import BaseModel

TOOL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Skill:
    """Something an agent is good at; other agents and the A2A card are told about it."""

    id: str
    name: str
    description: str
    tags: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A2A `Part`: exactly one of text, raw bytes, url or data is set."""

    text: str | None = None
    raw: bytes | None = None
    url: str | None = None
    data: Any = None
    media_type: str = ""
    filename: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Said:
    """One message as an agent reads it."""

    id: UUID
    role: Literal["user", "agent"]
    author: str  # the name people see
    author_id: str  # an agent's id, or a person's UUID as text
    text: str  # all text parts joined by a blank line
    parts: tuple[Part, ...]
    metadata: Mapping[str, Any]
    created_at: datetime
    task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What another agent answered to `Turn.ask_agent`."""

    agent_id: str
    state: str  # the child task's A2A state: completed, failed, rejected, canceled
    text: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found: `text` is a plain sentence for the model and the person, `facts` the same as values."""

    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class ToolError(Exception):
    """A tool could not do its work. The text is shown to the person and told to the model."""


@dataclass(frozen=True)
class Tool:
    """A function an agent may call. The function's first parameter is the `Turn`, the rest are JSON values."""

    function: Callable[..., Awaitable[ToolResult | str]]
    name: str
    description: str
    seconds: float = TOOL_SECONDS

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """Pydantic model of the arguments; checks what a language model sends."""
        from pydantic import create_model  # noqa: PLC0415  (authors without a brain need no pydantic)

        fields: dict[str, Any] = {
            p.name: (p.annotation, ... if p.default is p.empty else p.default)
            for p in list(inspect.signature(self.function, eval_str=True).parameters.values())[1:]
        }
        return create_model(self.name, **fields)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        return schema

    async def __call__(self, turn: Turn, **arguments: Any) -> ToolResult:
        found = await self.function(turn, **arguments)
        return found if isinstance(found, ToolResult) else ToolResult(found)


def tool(
    function: Callable[..., Awaitable[ToolResult | str]] | None = None, *, name: str = "", seconds: float = TOOL_SECONDS
) -> Any:
    """Make a `Tool` of an async function; its docstring tells the model when to use it."""

    def make(function: Callable[..., Awaitable[ToolResult | str]]) -> Tool:
        return Tool(function, name or function.__name__, inspect.getdoc(function) or "", seconds)

    return make(function) if function else make


class Agent:
    """Something that answers. Subclass it in an `agents.py` of any installed app; it is found by itself.

    Either set `tools` and write a `prompt.md` beside the class and let the brain do the rest, or override `respond`.
    """

    id: ClassVar[str]  # lower case letters, digits, "-" and "_"; what people type after "@"
    name: ClassVar[str]
    description: ClassVar[str]
    colour: ClassVar[str] = "#5b6b7f"
    avatar: ClassVar[str] = ""  # an emoji or up to two letters; empty: the first letter of the name
    skills: ClassVar[Sequence[Skill]] = ()
    input_modes: ClassVar[Sequence[str]] = ("text/plain",)
    output_modes: ClassVar[Sequence[str]] = ("text/plain",)
    tools: ClassVar[Sequence[Tool]] = ()
    model: ClassVar[str] = ""  # empty: the server's choice
    answers_with_message: ClassVar[bool] = False  # always ends with `Turn.reply`: A2A streams wait for that message
    voice: ClassVar[Mapping[str, Sequence[str]]] = {}  # how the embedded brain words a tool's facts, see docs/agents.md

    @cached_property
    def prompt(self) -> str:
        """The system prompt, unless an operator overrides it: `prompt.md` in the folder of the class's module."""
        path = Path(inspect.getfile(type(self))).with_name("prompt.md")
        return path.read_text(encoding="utf-8") if path.exists() else self.description

    async def respond(self, turn: Turn) -> None:
        """Answer `turn.message`. May run again from the top after a crash or an answered question; see `Turn`."""
        await turn.think()


class TurnEnded(BaseException):
    """Unwinds `respond` when the turn is over for now. Not an `Exception`, so that authors' handlers let it pass."""


class Turn(ABC):
    """One agent doing one piece of work: a task, as the agent sees it.

    A turn is durable. When the server dies, or when the agent has asked a person and the answer comes hours later,
    `respond` runs again from its top: every finished `think`, `use`, `ask` and `ask_agent` returns what it returned
    before without being done again, and what was said before the last of them is not said twice. Keep side effects
    inside tools, and call these methods in the same order each time.
    """

    task_id: UUID
    context_id: UUID  # the conversation
    agent: Agent
    message: Said  # what is to be answered
    metadata: Mapping[str, Any]  # of the request
    chain: tuple[str, ...]  # the agents that delegated down to here, outermost first

    @abstractmethod
    async def history(self, limit: int = 40) -> list[Said]:
        """The conversation before `message`, oldest first: what was said to all, in the order it was said."""

    @abstractmethod
    async def say(self, text: str) -> None:
        """Add text to the answer; it is on the reader's screen within a few hundredths of a second."""

    @abstractmethod
    async def report(self, text: str) -> None:
        """Say what is being done, in a few words; shown while the agent works and not kept in the answer."""

    @abstractmethod
    async def add_artifact(
        self,
        *parts: Part,
        name: str = "",
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        last: bool = True,
    ) -> Artifact:
        """Save a result. With `last=False` more parts may follow through `Artifact.append`."""

    @abstractmethod
    async def think(self, *, prompt: str = "", tools: Sequence[Tool] | None = None) -> str:
        """Let the brain answer, streaming, with the agent's prompt and tools unless others are given; returns it."""

    @abstractmethod
    async def use(self, tool: Tool, **arguments: Any) -> ToolResult:
        """Call a tool once, with its time limit, shown in the chat. Raises `ToolError`."""

    @abstractmethod
    async def ask_agent(self, agent_id: str, text: str) -> Answer:
        """Delegate to another agent and wait. A loop comes back as a rejected `Answer`."""

    @abstractmethod
    async def ask(self, question: str) -> Said:
        """Ask the person and wait for the answer, days if need be: nothing is held in memory meanwhile."""

    @abstractmethod
    async def reply(self, text: str, *parts: Part, metadata: Mapping[str, Any] | None = None) -> None:
        """Answer with a plain A2A Message instead of a task, and end the turn."""

    @abstractmethod
    async def reject(self, reason: str) -> None:
        """Decline the work, and end the turn."""

    @abstractmethod
    async def fail(self, reason: str) -> None:
        """Give up, with words the person can read, and end the turn."""

    @property
    @abstractmethod
    def cancelled(self) -> bool:
        """True once somebody pressed stop. Every `await` on the turn then raises `asyncio.CancelledError`."""


class Artifact(ABC):
    """A result that may still grow."""

    id: UUID

    @abstractmethod
    async def append(self, *parts: Part, last: bool = False) -> None: ...
