"""Facts that several places state, in one form each."""

from __future__ import annotations

from datetime import datetime

from agents_app.models import EventType, Message, Step, Task, TaskState
from agents_app.runtime.journal import Fact


def status_fact(
    task: Task, state: TaskState, text: str = "", message: Message | None = None, waiting_since: datetime | None = None
) -> Fact:
    """`message`: the question that the task waits with. `waiting_since`: it waits for something that is not here."""
    data = {"state": state.value, "text": text, "agent": task.agent_id}
    if message is not None:
        data["message"] = str(message.id)
    if waiting_since is not None:
        data["waiting_since"] = waiting_since.isoformat()
    return Fact(EventType.TASK_STATUS, data, task.id)


def created_fact(message: Message, **extra: str | bool) -> Fact:
    data = {"message": str(message.id), "inner": message.inner, **extra}
    if message.state == Message.State.STREAMING:
        data["streaming"] = True
    return Fact(EventType.MESSAGE_CREATED, data, message.task_id, message, about=message)


def changed_fact(message: Message, *, cut: bool = False) -> Fact:
    """`cut`: what readers have of its text may be another one now, however long."""
    data: dict[str, str | bool] = {"message": str(message.id)}
    if cut:
        data["cut"] = True
    return Fact(EventType.MESSAGE_CHANGED, data, message.task_id, about=message)


def step_fact(type: EventType, step: Step) -> Fact:
    return Fact(type, {"step": str(step.id), "message": str(step.message_id)}, step.task_id, about=step)
