"""Tasks as A2A shows them, read from the database: few queries for any number of tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from agents_app.a2a import wire
from agents_app.a2a.wire import Json, TaskView
from agents_app.models import INTERRUPTED, Artifact, Event, EventType, JournalHead, Message, Step, Task
from agents_app.parts import attachment_id, load_raw, to_json
from agents_app.runtime.brake import BUDGET
from agents_app.threads import in_thread


def load_view(task_id: UUID) -> TaskView | None:
    """A task as it was at one moment: `task.version` is the last event it tells of."""
    with _one_moment():
        tasks = list(Task.objects.filter(id=task_id))
        return load_views(tasks)[0] if tasks else None


@contextmanager
def _one_moment() -> Iterator[None]:
    """Everything read inside is of the same moment, and no writer waits for it."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":  # Django's own transactions here are those of writers
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("COMMIT")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield


def load_views(tasks: Sequence[Task], *, artifacts: bool = True) -> list[TaskView]:
    """Four queries, whatever the number of tasks."""
    ids = [task.id for task in tasks]
    names = context_names({task.context_id for task in tasks})
    questions = _questions(ids)
    asked = {message_id for messages in questions.values() for message_id in messages}
    said, answers = _messages(tasks, asked)
    made = _by_task(Artifact.objects.filter(task_id__in=ids).order_by("created_at", "id")) if artifacts else {}
    views = []
    for task in tasks:
        view = TaskView(task, names[task.context_id], said[task.id], None, answers[task.id], made.get(task.id, []))
        open_ones = [message for message in view.said if message.id in questions.get(task.id, ())]
        view.question = open_ones[-1] if open_ones and task.state in INTERRUPTED else None
        rows: list[Message | Artifact] = [*view.said, *view.answers, *view.artifacts]
        for row in rows:
            row.parts = with_files(row.parts)
        views.append(view)
    return views


def context_names(context_ids: set[UUID]) -> dict[UUID, str]:
    """contextIds on the wire."""
    named = dict(
        JournalHead.objects.filter(context_id__in=context_ids).exclude(name="").values_list("context_id", "name")
    )
    return {context_id: named.get(context_id, str(context_id)) for context_id in context_ids}


def _questions(task_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    """Without those of the brake: they stand in the answer, and the status says them."""
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    asks = Step.objects.filter(task_id__in=task_ids, kind=Step.Kind.ASK).exclude(Q(message=None) | Q(name=BUDGET))
    for task_id, message_id in asks.values_list("task_id", "message_id"):
        found[task_id].append(message_id)
    return found


def _messages(tasks: Sequence[Task], asked: set[UUID]) -> tuple[Any, Any]:
    """What was said to each task, and what it answered."""
    by_request: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for task in tasks:
        by_request[task.request_id].append(task.id)
    said: defaultdict[UUID, list[Message]] = defaultdict(list)
    answers: defaultdict[UUID, list[Message]] = defaultdict(list)
    wanted = Q(task_id__in=[task.id for task in tasks]) | Q(id__in=list(by_request))
    for message in Message.objects.filter(wanted).order_by("seq"):
        for task_id in by_request.get(message.id, ()):
            said[task_id].append(message)
        if message.id not in by_request and message.task_id is not None:
            spoken = message.role == Message.Role.USER or message.id in asked
            (said if spoken else answers)[message.task_id].append(message)
    return said, answers


def has_files(parts: Iterable[Json]) -> bool:
    for part in parts:  # noqa: SIM110 - `any` takes twice as long, and every chunk of every stream is asked
        if "url" in part and attachment_id(part):
            return True
    return False


def with_files(parts: Iterable[Json]) -> list[Json]:
    """What we keep in files travels inside. Reads the database and the files."""
    return [to_json(load_raw(part)) if attachment_id(part) else part for part in parts]


def _by_task(artifacts: Any) -> defaultdict[UUID, list[Artifact]]:
    found: defaultdict[UUID, list[Artifact]] = defaultdict(list)
    for artifact in artifacts:
        found[artifact.task_id].append(artifact)
    return found


# -- events


async def load_event_json(event: Event) -> Json | None:
    """A StreamResponse that tells of one event of a task; None: A2A has no word for it."""
    return await in_thread(_event_json, event)


def _event_json(event: Event) -> Json | None:
    complete(event)
    context, task_id = context_names({event.context_id})[event.context_id], str(event.task_id)
    if event.type == EventType.TASK_STATUS:
        return wire.status_update(event, task_id, context)
    if event.type == EventType.TASK_ARTIFACT:
        return wire.artifact_update(event, task_id, context)
    message = wire.answer_of(event)
    if message is None or message.state == Message.State.STREAMING or not (message.text or message.parts):
        return None
    return wire.answer_update(message, task_id, context)


def load_events(task_id: UUID, after: int) -> list[Event]:
    """A task's events after that version, complete."""
    events = list(Event.objects.filter(task_id=task_id, version__gt=after).order_by("version"))
    for event in events:
        complete(event)
    return events


def is_complete(event: Event) -> bool:
    """Whether everything that its A2A form tells is there without reading the database."""
    if event.type == EventType.TASK_ARTIFACT:
        return not has_files(event.data["parts"])
    if event.type in (EventType.MESSAGE_CREATED, EventType.MESSAGE_CHANGED):
        return isinstance(event.about, Message) and not has_files(event.about.parts)
    return True


def complete(event: Event) -> Event:
    if event.type == EventType.TASK_ARTIFACT:
        event.data = {**event.data, "parts": with_files(event.data["parts"])}
    elif event.type in (EventType.MESSAGE_CREATED, EventType.MESSAGE_CHANGED):
        message = Message.objects.filter(id=event.data["message"]).first()
        if message is not None:
            message.parts = with_files(message.parts)
        event.about = message
    return event
