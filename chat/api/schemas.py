"""The JSON that goes in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from agents_app.models import Agent, Attachment, Message, Task
from agents_app.runtime.brake import Choice
from chat.models import Participant
from chat.search import Found


def _require_unicode(text: str) -> str:
    """JSON can write half a character (`"\\ud800"`), which no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("This text holds half a character. Send whole Unicode characters.") from None
    return text


Text = Annotated[str, AfterValidator(_require_unicode)]
AgentId = Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]{1,64}$", examples=["chloe"])]
Username = Annotated[str, Field(pattern=r"^[\w.@+-]{1,150}$", examples=["ada"])]


class Change(Schema):
    """What somebody sends; a field nobody knows is a mistake that should not pass in silence."""

    model_config = ConfigDict(extra="forbid")


class NewConversation(Change):
    agents: list[AgentId] | None = Field(None, max_length=100, description="Ids of agents; left out: all of them.")
    title: Text = Field("", description="Left out: taken from the first message.")


class ConversationName(Change):
    title: Text


class NewMessage(Change):
    text: Text = Field("", description="Markdown. `@chloe` asks that agent.")
    attachments: list[UUID] = Field([], max_length=50, description="Ids of files of this conversation.")
    client_id: UUID | None = Field(None, description="Your own number for it: sent again, nothing is posted twice.")


class Decision(Change):
    choice: Choice = Field(description="`go-on`: a fresh budget; `answer`: now, with what is known; `end`: stop.")


class NewParticipant(Change):
    """Either an agent or a person."""

    agent: AgentId | None = None
    username: Username | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> NewParticipant:
        if (self.agent is None) == (self.username is None):
            raise ValueError('Write either "agent" or "username".')
        return self


class ParticipantOut(Schema):
    id: UUID
    agent: str | None = Field(description="The agent's id; null for a person.")
    username: str | None = Field(description="Null for an agent.")
    name: str

    @classmethod
    def of(cls, participant: Participant) -> ParticipantOut:
        user = participant.user
        return cls(
            id=participant.id,
            agent=participant.agent_id,
            username=user.username if user else None,
            name=str(participant),
        )


class ConversationOut(Schema):
    id: UUID
    title: str = Field(description="Empty until it has one.")
    created_at: datetime
    active_at: datetime = Field(description="When something was last said.")
    unread: bool
    unread_count: int = Field(description="Messages you have not read; 100 stands for 100 and more.")
    participants: list[ParticipantOut]

    @classmethod
    def of(cls, seat: Participant, participants: list[Participant], unread: int) -> ConversationOut:
        conversation = seat.conversation
        return cls(
            id=conversation.id,
            title=conversation.title,
            created_at=conversation.created_at,
            active_at=seat.active_at,
            unread=conversation.message_seq > seat.read_seq,
            unread_count=unread,
            participants=[ParticipantOut.of(participant) for participant in participants],
        )


class ConversationsPage(Schema):
    conversations: list[ConversationOut] = Field(description="Newest activity first.")
    before: str


class MessageOut(Schema):
    id: UUID
    seq: int = Field(description="Its place in the conversation; numbers grow, with gaps.")
    role: str = Field(description="`user` or `agent`.")
    state: str = Field(description="`streaming`, `complete`, `stopped` or `failed`.")
    agent: str | None
    username: str | None
    text: str = Field(description="Of a message that is streaming: up to a second old.")
    parts: list[dict[str, Any]] = Field(description="A2A parts. A file has the url `attachment:<id>`.")
    error: str
    usage: dict[str, Any] = Field(description="model, input_tokens, output_tokens, price (USD); what is known.")
    client_id: UUID | None
    created_at: datetime
    tasks: list[UUID] = Field(description="The tasks this message began or continued.")

    @classmethod
    def of(cls, message: Message) -> MessageOut:
        continued = [message.task_id] if message.task_id and message.role == Message.Role.USER else []
        plain = ("id", "seq", "role", "state", "text", "error", "usage", "client_id", "created_at")
        return cls(
            **{name: getattr(message, name) for name in plain},
            agent=message.agent_id,
            username=message.user.username if message.user else None,
            parts=message.all_parts,
            tasks=[*continued, *(task.id for task in message.started.all())],
        )


class MessagesPage(Schema):
    messages: list[MessageOut] = Field(description="Oldest first.")
    before: str


class FoundOut(Schema):
    conversation: UUID
    title: str = Field(description="Of the conversation; empty until it has one.")
    message: UUID
    seq: int = Field(description="Its place in the conversation.")
    role: str
    agent: str | None
    username: str | None
    created_at: datetime
    excerpt: str = Field(description="HTML: escaped text, with what was looked for in `<mark>`.")

    @classmethod
    def of(cls, found: Found) -> FoundOut:
        message = found.message
        plain = ("seq", "role", "created_at")
        return cls(
            **{name: getattr(message, name) for name in plain},
            conversation=found.conversation.id,
            title=found.conversation.title,
            message=message.id,
            agent=message.agent_id,
            username=message.user.username if message.user else None,
            excerpt=found.excerpt,
        )


class FoundPage(Schema):
    messages: list[FoundOut] = Field(description="Newest first.")
    before: str


class FileOut(Schema):
    id: UUID
    filename: str
    media_type: str
    size: int = Field(description="Bytes.")

    @classmethod
    def of(cls, file: Attachment) -> FileOut:
        return cls(id=file.id, filename=file.filename, media_type=file.media_type, size=file.size)


class TaskOut(Schema):
    id: UUID
    conversation: UUID
    agent: str
    request: UUID = Field(description="The message that asked for it.")
    state: str = Field(description="A2A's task states: `submitted`, `working`, `input-required`, `completed` …")
    status_text: str = Field(description="What the agent reports, or why it ended.")
    answer: str = Field(description="What the agent has said so far.")
    choices: list[Choice] = Field(description="Its budget is used up: decide for one of them. Mostly empty.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, task: Task, answer: str, choices: list[Choice]) -> TaskOut:
        plain = ("id", "state", "status_text", "created_at", "updated_at")
        return cls(
            **{name: getattr(task, name) for name in plain},
            conversation=task.context_id,
            agent=task.agent_id,
            request=task.request_id,
            answer=answer,
            choices=choices,
        )


class AgentOut(Schema):
    id: str
    name: str
    description: str
    colour: str
    avatar: str
    brain: str = Field(description="Which language model answers, in words.")
    skills: list[dict[str, Any]] = Field(description="A2A AgentSkill objects.")
    input_modes: list[str]
    output_modes: list[str]

    @classmethod
    def of(cls, agent: Agent, brain: str) -> AgentOut:
        plain = ("id", "name", "description", "colour", "avatar", "skills", "input_modes", "output_modes")
        return cls(**{name: getattr(agent, name) for name in plain}, brain=brain)
