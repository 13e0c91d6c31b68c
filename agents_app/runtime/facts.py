"""Facts that several places state, in one form each."""

from __future__ import annotations

from agents_app.models import EventType, Message, Step, Task, TaskState
from agents_app.runtime.journal import Fact


def status_fact(task: Task, state: TaskState, text: str = "") -> Fact:
    return Fact(EventType.TASK_STATUS, {"state": state.value, "text": text, "agent": task.agent_id}, task.id)


def created_fact(message: Message, **extra: str) -> Fact:
    data = {"message": str(message.id), "inner": message.inner, **extra}
    return Fact(EventType.MESSAGE_CREATED, data, message.task_id, message)


def changed_fact(message: Message) -> Fact:
    return Fact(EventType.MESSAGE_CHANGED, {"message": str(message.id)}, message.task_id)


def step_fact(type: EventType, step: Step) -> Fact:
    return Fact(type, {"step": str(step.id), "message": str(step.message_id)}, step.task_id)
