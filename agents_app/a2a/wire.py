"""Rows as A2A JSON: tasks, messages, artifacts, events, in ProtoJSON's camelCase. `docs/a2a.md` says what becomes what."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from agents_app.models import INTERRUPTED, Artifact, Event, EventType, Message, Task, TaskState

Json = dict[str, Any]

ANSWER = "answer"  # name of the artifact that is an agent's written answer


@dataclass(slots=True)
class TaskView:
    """A task with everything its A2A form tells."""

    task: Task
    context: str  # its contextId on the wire
    said: list[Message] = field(default_factory=list)  # the request, questions and their answers, in order
    question: Message | None = None  # what it waits with
    answers: list[Message] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)

    @property
    def reply(self) -> Message | None:
        """The plain message that answers instead of the task."""
        return self.answers[-1] if self.task.plain_reply and self.answers else None


@lru_cache(maxsize=16)
def state_name(state: str) -> str:
    return f"TASK_STATE_{state.upper().replace('-', '_')}"


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='milliseconds')[: -len('+00:00')]}Z"


def task_json(view: TaskView, history_length: int | None = None, *, artifacts: bool = True) -> Json:
    """An A2A Task. `history_length`: None for everything, 0 for no history."""
    json: Json = {"id": str(view.task.id), "contextId": view.context, "status": task_status(view)}
    if artifacts:
        json["artifacts"] = [*map(answer_json, _worth(view.answers)), *map(artifact_json, view.artifacts)]
    if history_length != 0 and view.said:
        json["history"] = [message_json(message, view) for message in view.said[-(history_length or 0) :]]
    return json


def task_status(view: TaskView) -> Json:
    task = view.task
    status: Json = {"state": state_name(task.state), "timestamp": timestamp(task.updated_at)}
    if view.question is not None and task.state in INTERRUPTED:
        status["message"] = message_json(view.question, view)
    elif view.reply is not None:
        status["message"] = message_json(view.reply, view)
    elif task.status_text:
        status["message"] = _remark(task.id, view.context, task.status_text)
    return status


def message_json(message: Message, view: TaskView) -> Json:
    """An A2A Message of a task."""
    role = "ROLE_AGENT" if message.role == Message.Role.AGENT else "ROLE_USER"
    json: Json = {"messageId": wire_id(message), "contextId": view.context, "taskId": str(view.task.id), "role": role}
    json["parts"] = parts_json(message)
    optional = {
        "metadata": message.metadata,
        **{name: message.wire.get(name) for name in ("extensions", "referenceTaskIds")},
    }
    return json | {name: value for name, value in optional.items() if value}


def wire_id(message: Message) -> str:
    return message.wire.get("messageId") or str(message.id)


def answer_json(message: Message, text: str | None = None) -> Json:
    """An agent's written answer as an Artifact."""
    parts = parts_json(message) if text is None else [{"text": text}]
    return {"artifactId": str(message.id), "name": ANSWER, "parts": parts}


def artifact_json(artifact: Artifact) -> Json:
    data = {"name": artifact.name, "description": artifact.description, "metadata": artifact.metadata}
    return {"artifactId": str(artifact.id), "parts": artifact.parts or [{"text": ""}]} | {
        name: value for name, value in data.items() if value
    }


def parts_json(message: Message) -> list[Json]:
    return message.parts or [{"text": message.text}]


def _worth(answers: list[Message]) -> list[Message]:
    return [message for message in answers if message.text or message.parts]


def _remark(task_id: UUID, context: str, text: str) -> Json:
    """What an agent reports, or why it ended: no message of the conversation, so its id is made of its text."""
    return {
        "messageId": str(uuid5(task_id, text)),
        "contextId": context,
        "taskId": str(task_id),
        "role": "ROLE_AGENT",
        "parts": [{"text": text}],
    }


# -- events


def answer_of(event: Event) -> Message | None:
    """The answer that a complete event speaks of; a question is told by the status instead."""
    message = event.about
    if not isinstance(message, Message) or message.role != Message.Role.AGENT or event.data.get("question"):
        return None
    return message


def status_update(event: Event, task_id: str, context: str) -> Json:
    """A StreamResponse for `task.status`."""
    data = event.data
    status: Json = {"state": state_name(data["state"]), "timestamp": timestamp(event.created_at)}
    if data["text"]:
        assert event.task_id is not None
        status["message"] = _remark(event.task_id, context, data["text"])
        if "message" in data:
            status["message"]["messageId"] = data["message"]
    return {"statusUpdate": {"taskId": task_id, "contextId": context, "status": status}}


def artifact_update(event: Event, task_id: str, context: str) -> Json:
    """A StreamResponse for `task.artifact`."""
    data = event.data
    artifact: Json = {"artifactId": data["artifact"], "parts": data["parts"] or [{"text": ""}]}
    if not data["append"]:
        artifact |= {name: data[name] for name in ("name", "description", "metadata") if data.get(name)}
    return _update(task_id, context, artifact, append=data["append"], last=data["last"])


def answer_update(message: Message, task_id: str, context: str) -> Json:
    """A StreamResponse with a whole answer."""
    return _update(task_id, context, answer_json(message), append=False, last=True)


def text_update(task_id: str, context: str, message_id: UUID, text: str, *, append: bool, last: bool) -> Json:
    """A StreamResponse with some more of an answer."""
    artifact: Json = {"artifactId": str(message_id), "parts": [{"text": text}]}
    if not append:
        artifact["name"] = ANSWER
    return _update(task_id, context, artifact, append=append, last=last)


def _update(task_id: str, context: str, artifact: Json, *, append: bool, last: bool) -> Json:
    """ProtoJSON leaves out what is false."""
    update: Json = {"taskId": task_id, "contextId": context, "artifact": artifact}
    if append:
        update["append"] = True
    if last:
        update["lastChunk"] = True
    return {"artifactUpdate": update}


def is_end(event: Event) -> bool:
    terminal = (TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED)
    return event.type == EventType.TASK_STATUS and event.data["state"] in terminal
