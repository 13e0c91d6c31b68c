"""A task and all it belongs to as a sequence diagram: who asked whom, in which order. Only places; the template draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Substr

from agents_app.models import INTERRUPTED, Message, Step, Task, Via

MAX_TASKS = 60
MAX_ARROWS = 120
MAX_HOPS = 32  # to the root; more cannot be, but a broken database must not be a loop
SHOWN_CHARS = 300

COLUMN = 216
ROW = 46
HEAD = 64
HEAD_WIDTH = 150
FOOT = 20
LOOP = 26  # how far an arrow to oneself goes out
CHAR_WIDTH = 6
MARKUP = re.compile(r"[*`#>]+")
CALLER = ""  # in place of an agent's id: the person or program it all began with


@dataclass(frozen=True, slots=True)
class Actor:
    x: int
    name: str
    agent_id: str
    initials: str

    @property
    def left(self) -> int:
        return self.x - HEAD_WIDTH // 2

    @property
    def shown_name(self) -> str:
        return _cut(self.name, int(HEAD_WIDTH / CHAR_WIDTH) - 4)


@dataclass(slots=True)
class Arrow:
    at: datetime
    source: str  # an agent's id, or CALLER
    target: str
    text: str
    kind: str  # request, answer, tool, question or reply
    task: UUID
    failed: bool = False
    here: bool = False  # belongs to the task that is looked at
    x1: int = 0
    x2: int = 0
    y: int = 0
    label: str = ""

    @property
    def to_self(self) -> bool:
        return self.source == self.target

    @property
    def label_x(self) -> int:
        return self.x1 + LOOP + 8 if self.to_self else (self.x1 + self.x2) // 2

    @property
    def label_y(self) -> int:
        return self.y + 4 if self.to_self else self.y - 8

    @property
    def line(self) -> str:
        if self.to_self:
            return f"M{self.x1} {self.y - 8}h{LOOP - 8}a8 8 0 0 1 0 16h-{LOOP - 10}"
        return f"M{self.x1} {self.y}H{self.x2 - 6 * self._way}"

    @property
    def tip(self) -> str:
        x, y, way = (self.x1, self.y + 8, -1) if self.to_self else (self.x2, self.y, self._way)
        return f"M{x} {y}l{-8 * way} -4.5v9z"

    @property
    def _way(self) -> int:
        return 1 if self.x2 > self.x1 else -1


@dataclass(frozen=True, slots=True)
class Diagram:
    width: int
    height: int
    actors: list[Actor]
    arrows: list[Arrow]
    whole: bool
    head_width: int = HEAD_WIDTH
    lines_from: int = HEAD - 16
    lines_to: int = field(default=0)


def load_sequence(task: Task, caller: str) -> Diagram:
    """The whole tree that `task` is part of. `caller`: what the first column is called."""
    tasks = _load_tree(_root_id(task))
    arrows = sorted(_arrows(tasks), key=lambda arrow: arrow.at)
    shown = arrows[:MAX_ARROWS]
    for arrow in shown:
        arrow.here = arrow.task == task.id
    actors = _actors(tasks, caller)
    _place(shown, actors)
    height = HEAD + ROW * len(shown) + FOOT
    whole = len(shown) == len(arrows) and len(tasks) < MAX_TASKS
    beside = any(arrow.to_self and arrow.x1 == actors[-1].x for arrow in shown)  # labels need room on the right
    width = COLUMN * len(actors) + (COLUMN // 2 if beside else 0)
    return Diagram(width, height, actors, shown, whole, lines_to=height - FOOT // 2)


def _root_id(task: Task) -> UUID:
    root, parent = task.id, task.parent_id
    for _ in range(MAX_HOPS):
        if parent is None:
            break
        root, parent = parent, Task.objects.filter(id=parent).values_list("parent_id", flat=True).first()
    return root


def _load_tree(root: UUID) -> list[Task]:
    """Level by level: a query for each."""
    tasks = list(_with_words(Task.objects.filter(id=root)))
    level = tasks
    while level and len(tasks) < MAX_TASKS:
        level = list(_with_words(Task.objects.filter(parent__in=level))[: MAX_TASKS - len(tasks)])
        tasks += level
    return tasks


def _with_words(tasks: QuerySet[Task]) -> QuerySet[Task]:
    words = Substr("request__text", 1, SHOWN_CHARS)
    return tasks.select_related("agent", "parent").annotate(words=words).order_by("id")


def _arrows(tasks: list[Task]) -> Iterator[Arrow]:
    answers = _answers(tasks)
    for task in tasks:
        asker = task.parent.agent_id if task.parent else CALLER
        yield Arrow(task.created_at, asker, task.agent_id, task.words, "request", task.id)  # type: ignore[attr-defined]
        if task.is_terminal:
            failed = task.state != "completed"
            said = task.status_text or task.state if failed else answers.get(task.id, "")
            yield Arrow(task.updated_at, task.agent_id, asker, said or task.state, "answer", task.id, failed)
    by_id = {task.id: task for task in tasks}
    steps = Step.objects.filter(task__in=tasks, child=None).exclude(kind=Step.Kind.MODEL)
    for step in steps.order_by("id")[:MAX_ARROWS]:
        yield from _step_arrows(step, by_id[step.task_id].agent_id)


def _step_arrows(step: Step, agent_id: str) -> Iterator[Arrow]:
    if step.kind != Step.Kind.ASK:  # a delegation without a child was refused before anybody was asked
        yield Arrow(step.started_at, agent_id, agent_id, step.name, "tool", step.task_id, bool(step.error))
        return
    question = step.data.get("question", "")[:SHOWN_CHARS]
    yield Arrow(step.started_at, agent_id, CALLER, question, "question", step.task_id)
    if step.finished_at:
        yield Arrow(step.finished_at, CALLER, agent_id, "answers", "reply", step.task_id)


def _answers(tasks: list[Task]) -> dict[UUID | None, str]:
    """The last words of each task's agent; questions are arrows of their own."""
    ended = [task for task in tasks if task.is_terminal and task.state not in INTERRUPTED]
    said = Message.objects.filter(task__in=ended, role=Message.Role.AGENT).order_by("seq")
    words = said.annotate(words=Substr("text", 1, SHOWN_CHARS)).values_list("task_id", "words")
    return dict(words)


def _actors(tasks: list[Task], caller: str) -> list[Actor]:
    agents = {task.agent_id: task.agent for task in tasks}
    first = Actor(COLUMN // 2, caller, CALLER, caller[:1].upper())
    rest = [
        Actor(COLUMN // 2 + COLUMN * number, agent.name, agent.id, agent.initials)
        for number, agent in enumerate(agents.values(), start=1)
    ]
    return [first, *rest]


def _place(arrows: list[Arrow], actors: list[Actor]) -> None:
    columns = {actor.agent_id: actor.x for actor in actors}
    for row, arrow in enumerate(arrows):
        arrow.x1, arrow.x2 = columns[arrow.source], columns[arrow.target]
        arrow.y = HEAD + ROW * row + ROW // 2
        room = COLUMN - LOOP if arrow.to_self else abs(arrow.x2 - arrow.x1) - 24
        arrow.label = _cut(" ".join(MARKUP.sub("", arrow.text).split()), int(room / CHAR_WIDTH))


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1].rstrip()}…"


def caller_name(task: Task, reader_id: UUID) -> str:
    if task.owner is None:
        return "A2A caller" if task.via == Via.A2A else "Somebody"
    return "You" if task.owner_id == reader_id else task.owner.name
