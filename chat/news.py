"""Events as frames: what has to be read for a batch of events, and the frames made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from agents_app.models import Event, EventType, Message, Step, Task
from chat import protocol
from chat.loading import load_messages, load_steps
from chat.models import Conversation
from chat.rendering import participants_html, step_html
from chat.streams import Streams

MESSAGE_EVENTS = (EventType.MESSAGE_CREATED, EventType.MESSAGE_CHANGED, EventType.TASK_ARTIFACT)
STEP_EVENTS = (EventType.TOOL_STARTED, EventType.TOOL_FINISHED)
ROOM_EVENTS = (EventType.CONVERSATION_CHANGED, EventType.PARTICIPANT_ADDED, EventType.PARTICIPANT_REMOVED)


@dataclass
class News:
    """Events with the rows they speak of, as these are now: frames tell the present, so one per message is enough."""

    events: list[Event]
    messages: dict[str, Message] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    parent_steps: dict[UUID, UUID] = field(default_factory=dict)  # of inner messages: task → step of its delegation
    rooms: dict[UUID, tuple[str, str]] = field(default_factory=dict)  # title and participants as HTML


def load_news(events: list[Event]) -> News:
    """Reads the database; one query for each kind of row that is there, however many events."""
    news = News(events)
    message_ids = {event.data["message"] for event in events if event.type in MESSAGE_EVENTS}
    news.messages = {str(message.id): message for message in load_messages([UUID(id) for id in message_ids])}
    inner = {message.task_id for message in news.messages.values() if message.inner}
    if inner:
        news.parent_steps = dict(Step.objects.filter(child__in=inner).values_list("child_id", "id"))
    step_ids = {event.data["step"] for event in events if event.type in STEP_EVENTS}
    news.steps = {str(step.id): step for step in load_steps([UUID(id) for id in step_ids])} if step_ids else {}
    rooms = {event.context_id for event in events if event.type in ROOM_EVENTS}
    for room in Conversation.objects.filter(id__in=rooms) if rooms else ():
        news.rooms[room.id] = (room.title, participants_html(room))
    return news


def frames(news: News, streams: Streams) -> Iterator[tuple[Event, str]]:
    """The frames of these events, in their order."""
    for event in news.events:
        for frame in _frames(event, news, streams):
            yield event, frame


def _frames(event: Event, news: News, streams: Streams) -> Iterable[str]:
    room = {"conversation": event.context_id, "seq": event.seq}
    if event.type in MESSAGE_EVENTS:
        message = news.messages.get(event.data["message"])
        return [message_frame(event, message, news, streams)] if message else []
    if event.type in STEP_EVENTS and (step := news.steps.get(event.data["step"])) and step.message_id:
        frame = {**room, "message": step.message_id, "step": step.id, "html": step_html(step)}
        before = streams.settle(event.context_id, step.message_id) if event.type == EventType.TOOL_STARTED else []
        return [*before, protocol.encode(event.type, **frame)]
    if event.type == EventType.TASK_STATUS:
        return [protocol.encode("task.changed", **room, task=event.task_id, **event.data)]
    if event.type in ROOM_EVENTS and event.context_id in news.rooms:
        title, people = news.rooms[event.context_id]
        return [
            protocol.encode(
                "conversation.changed", id=event.context_id, seq=event.seq, title=title, participants_html=people
            )
        ]
    return []


def message_frame(event: Event, message: Message, news: News, streams: Streams) -> str:
    created = event.type == EventType.MESSAGE_CREATED
    parent_step = news.parent_steps.get(message.task_id) if message.inner and message.task_id else None
    return protocol.encode(
        "message.created" if created else "message.changed",
        conversation=event.context_id,
        seq=event.seq,
        id=message.id,
        client_id=event.data.get("client_id"),
        html=streams.html(message, cut=bool(event.data.get("cut"))),
        inner=message.inner,
        parent_step=parent_step,
    )


def task_frame(task: Task, seq: int) -> str:
    return protocol.encode(
        "task.changed",
        conversation=task.context_id,
        seq=seq,
        task=task.id,
        agent=task.agent_id,
        state=task.state,
        text=task.status_text,
        **({"waiting_since": task.waiting_since.isoformat()} if task.waiting_since else {}),
    )
