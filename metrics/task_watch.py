"""Follows the journal and the live text of this process: how tasks end, how long they take, what they use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from agents_app.models import INTERRUPTED, TERMINAL, Event, EventType, Message, Step, TaskState
from agents_app.runtime.relay import Piece
from metrics import registry

REMEMBERED = 10_000  # tasks; those that end in other processes are never heard of again
UUID7_TIME_SHIFT = 80  # a task's id begins with the milliseconds at which it was made
K = TypeVar("K")
V = TypeVar("V")
ENDED = (Message.State.COMPLETE, Message.State.STOPPED, Message.State.FAILED)


@dataclass(slots=True)
class Watched:
    waited: bool = False  # a person was asked: how long that took says nothing about the agent
    spoke: bool = False
    counted: set[UUID] = field(default_factory=set)  # messages whose usage is counted


class TaskWatch:
    def __init__(self) -> None:
        self._tasks: dict[UUID, Watched] = {}
        self._speaking: dict[UUID, tuple[UUID, str]] = {}  # messages without a piece yet: their task and agent
        self._early: dict[UUID, float] = {}  # first pieces that came before their message was committed
        self._heard: dict[str, Callable[[Event], None]] = {
            EventType.TASK_STATUS: self._status,
            EventType.MESSAGE_CREATED: self._created,
            EventType.MESSAGE_CHANGED: self._changed,
            EventType.TOOL_FINISHED: self._step_finished,
        }

    def hear(self, events: list[Event]) -> None:
        for event in events:
            if count := self._heard.get(event.type):
                count(event)

    async def hear_pieces(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if piece.offset == 0:
                self._first_piece(piece.message_id, time.time())

    def _status(self, event: Event) -> None:
        task_id, state, agent = event.task_id, event.data["state"], event.data.get("agent") or "none"
        assert task_id is not None
        if state in INTERRUPTED:
            self._watched(task_id).waited = True
        if state not in TERMINAL:
            return
        watched = self._tasks.pop(task_id, None)
        registry.child(registry.TASKS, agent, state).inc()
        if state == TaskState.COMPLETED and not (watched and watched.waited):
            registry.child(registry.ANSWER, agent).observe(max(0.0, time.time() - _begun(task_id)))

    def _created(self, event: Event) -> None:
        message = event.about
        if not isinstance(message, Message):
            return
        by = "people" if message.role == Message.Role.USER else "agents"
        registry.child(registry.MESSAGES, "inner" if message.inner else by).inc()
        if message.role != Message.Role.AGENT or event.task_id is None:
            return
        if event.data.get("streaming"):
            _remember(self._speaking, message.id, (event.task_id, message.agent_id or "none"))
            if (at := self._early.pop(message.id, None)) is not None:
                self._first_piece(message.id, at)
        else:
            self._count_usage(event.task_id, message)

    def _changed(self, event: Event) -> None:
        message = event.about
        if isinstance(message, Message) and event.task_id is not None and message.state in ENDED:
            self._speaking.pop(message.id, None)
            self._early.pop(message.id, None)
            self._count_usage(event.task_id, message)

    def _count_usage(self, task_id: UUID, message: Message) -> None:
        if not message.usage:
            return
        watched = self._watched(task_id)
        if message.id in watched.counted:
            return
        watched.counted.add(message.id)
        brain = registry.bounded("brain", str(message.usage.get("model") or ""))
        agent = message.agent_id or "none"
        for direction in ("input", "output"):
            tokens = message.usage.get(f"{direction}_tokens") or 0
            registry.child(registry.TOKENS, agent, brain, direction).inc(max(0, tokens))
        if price := message.usage.get("price"):
            registry.child(registry.PRICE, agent, brain).inc(max(0.0, float(price)))

    def _step_finished(self, event: Event) -> None:
        step = event.about
        if not isinstance(step, Step) or step.finished_at is None:
            return
        seconds = max(0.0, (step.finished_at - step.started_at).total_seconds())
        outcome = "failed" if step.error else "ok"
        if step.kind == Step.Kind.TOOL:
            registry.child(registry.TOOL, registry.bounded("tool", step.name), outcome).observe(seconds)
        elif step.kind == Step.Kind.AGENT:
            asked = step.name if step.child_id else ""  # without a task the name is what a model made up
            registry.child(registry.DELEGATION, registry.bounded("asked", asked), outcome).observe(seconds)

    def _first_piece(self, message_id: UUID, at: float) -> None:
        found = self._speaking.pop(message_id, None)
        if found is None:
            _remember(self._early, message_id, at)
            return
        task_id, agent = found
        watched = self._watched(task_id)
        if not (watched.spoke or watched.waited):
            watched.spoke = True
            registry.child(registry.FIRST_PIECE, agent).observe(max(0.0, at - _begun(task_id)))

    def _watched(self, task_id: UUID) -> Watched:
        found = self._tasks.get(task_id)
        if found is None:
            found = Watched()
            _remember(self._tasks, task_id, found)
        return found


def _begun(task_id: UUID) -> float:
    return (task_id.int >> UUID7_TIME_SHIFT) / 1000


def _remember(known: dict[K, V], key: K, value: V) -> None:
    known[key] = value
    if len(known) > REMEMBERED:
        known.pop(next(iter(known)))
