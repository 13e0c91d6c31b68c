"""What happened in a task, one line for each thing, from its events and the rows they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from agents_app.models import TERMINAL, Artifact, Event, EventType, Step, Task, TaskState
from agents_app.runtime.brake import BUDGET, QUESTIONS, Choice, Limit

MAX_EVENTS = 1_000

STATES = {
    TaskState.SUBMITTED: "Submitted",
    TaskState.WORKING: "At work",
    TaskState.INPUT_REQUIRED: "Waits for an answer",
    TaskState.AUTH_REQUIRED: "Waits for a sign-in elsewhere",
    TaskState.COMPLETED: "Completed",
    TaskState.FAILED: "Failed",
    TaskState.CANCELED: "Stopped",
    TaskState.REJECTED: "Declined",
}


@dataclass(slots=True)
class Moment:
    at: datetime
    after: float  # seconds since the task began
    kind: str  # status, report, tool, delegation, message or artifact
    title: str
    detail: str = ""
    state: str = ""  # of a status, A2A's; of a tool or delegation running, done or failed
    seconds: float | None = None  # how long it took, or lasted
    task: UUID | None = None  # what it was delegated to


@dataclass(frozen=True, slots=True)
class Timeline:
    moments: list[Moment]
    whole: bool  # False: there are more events than one page can show


def load_timeline(task: Task) -> Timeline:
    events = list(task.events.order_by("version")[: MAX_EVENTS + 1])
    steps = {str(step.id): step for step in task.steps.exclude(kind=Step.Kind.MODEL)}
    artifacts = {str(artifact.id): artifact for artifact in task.artifacts.all()}
    teller = _Teller(task, steps, artifacts)
    moments = [moment for event in events[:MAX_EVENTS] for moment in teller.tell(event)]
    _measure_statuses(moments)
    return Timeline(moments, len(events) <= MAX_EVENTS)


class _Teller:
    def __init__(self, task: Task, steps: dict[str, Step], artifacts: dict[str, Artifact]) -> None:
        self._task = task
        self._steps = steps
        self._artifacts = artifacts
        self._grown: dict[str, Moment] = {}  # artifacts that came in several pieces

    def tell(self, event: Event) -> Iterator[Moment]:
        if event.type == EventType.TASK_STATUS:
            yield self._status(event)
        elif event.type == EventType.TOOL_STARTED and (step := self._steps.get(event.data["step"])):
            yield self._step(event, step)
        elif event.type == EventType.TASK_ARTIFACT:
            yield from self._artifact(event)
        elif event.type == EventType.MESSAGE_CREATED:
            yield self._moment(event, "message", "Began a message")

    def _status(self, event: Event) -> Moment:
        state, text = event.data["state"], event.data.get("text", "")
        if state == TaskState.WORKING and text:
            return self._moment(event, "report", text, state=state)
        return self._moment(event, "status", STATES[TaskState(state)], detail=text, state=state)

    def _step(self, event: Event, step: Step) -> Moment:
        values = {
            "state": "running" if not step.finished_at else "failed" if step.error else "done",
            "seconds": None if step.milliseconds is None else step.milliseconds / 1000,
        }
        if step.name == BUDGET and step.kind == Step.Kind.ASK:
            return self._moment(event, "status", QUESTIONS[Limit(step.data["limit"])], detail=_decided(step))
        if step.kind == Step.Kind.AGENT:
            asked = step.data.get("message", "")
            return self._moment(event, "delegation", f"Asked {step.name}", detail=asked, task=step.child_id, **values)
        return self._moment(event, "tool", step.name, detail=step.error or step.data.get("text", ""), **values)

    def _artifact(self, event: Event) -> Iterator[Moment]:
        id = event.data["artifact"]
        if known := self._grown.get(id):
            known.seconds = (event.created_at - known.at).total_seconds()
            return
        artifact = self._artifacts.get(id)
        title = f"Artifact “{artifact.name}”" if artifact and artifact.name else "Artifact"
        self._grown[id] = self._moment(event, "artifact", title, detail=artifact.description if artifact else "")
        yield self._grown[id]

    def _moment(self, event: Event, kind: str, title: str, **values: Any) -> Moment:
        after = (event.created_at - self._task.created_at).total_seconds()
        return Moment(event.created_at, max(after, 0), kind, title, **values)


def _decided(step: Step) -> str:
    return {
        Choice.GO_ON: "It went on with a fresh budget.",
        Choice.ANSWER: "It was to answer with what was known.",
        Choice.END: "It was ended.",
    }.get(step.data.get("choice", ""), "")


def _measure_statuses(moments: list[Moment]) -> None:
    """A state lasts until the next one."""
    statuses = [moment for moment in moments if moment.kind == "status"]
    for status, following in pairwise(statuses):
        if status.state not in TERMINAL:
            status.seconds = (following.at - status.at).total_seconds()
