"""Messages and steps with everything their templates show, in few queries: a room may load fifty at once.

Besides the fields of its model a loaded message has `shown_steps` and `shown_artifacts`, a loaded step its `exchange`:
the messages agents said to each other inside it, and the `chain` for which they were said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from agents_app.models import Artifact, Message, Step
from agents_app.runtime.brake import BUDGET
from chat.chains import agent_names, chain_of

T = TypeVar("T")

SHOWN_STEPS = Q(kind__in=(Step.Kind.TOOL, Step.Kind.AGENT)) | Q(kind=Step.Kind.ASK, name=BUDGET)


def load_messages(ids: Sequence[UUID]) -> list[Message]:
    """Messages with all that `message_html` reads, in the order of `ids`; those that are gone are left out."""
    found = {message.id: message for message in _with_authors(Message.objects.filter(id__in=ids))} if ids else {}
    return [found[id] for id in ids if id in found]


def load_steps(ids: Sequence[UUID]) -> list[Step]:
    """Steps with all that `step_html` reads."""
    return _with_exchanges(Step.objects.filter(id__in=ids))


def _with_authors(messages: QuerySet[Message]) -> list[Message]:
    """Three queries, and four more for each level of delegation that is there."""
    rows = list(messages.select_related("agent", "user", "task"))
    answers = {message.id: message for message in rows if message.role == Message.Role.AGENT}
    artifacts = Artifact.objects.filter(message__in=answers).order_by("created_at", "id") if answers else ()
    steps = _with_exchanges(Step.objects.filter(SHOWN_STEPS, message__in=answers)) if answers else ()
    by_message = _grouped(steps, "message_id")
    artifacts_by_message = _grouped(artifacts, "message_id")
    for message in rows:
        message.shown_steps = by_message[message.id]  # type: ignore[attr-defined]
        message.shown_artifacts = artifacts_by_message[message.id]  # type: ignore[attr-defined]
    return rows


def _with_exchanges(steps: QuerySet[Step]) -> list[Step]:
    rows = list(steps.select_related("task__agent", "child__agent", "child__owner").order_by("id"))
    names = agent_names(step.child for step in rows if step.child and len(step.child.chain) > 1)
    children = [step.child_id for step in rows if step.child_id]
    inner = _with_authors(Message.objects.filter(task__in=children).order_by("seq")) if children else ()
    exchanges = _grouped(inner, "task_id")
    for step in rows:
        step.exchange = exchanges[step.child_id]  # type: ignore[attr-defined]
        asker = {step.task.agent_id: step.task.agent.name}
        step.chain = chain_of(step.child, asker | names) if step.child else ()  # type: ignore[attr-defined]
    return rows


def _grouped(rows: Iterable[T], key: str) -> defaultdict[UUID | None, list[T]]:
    groups: defaultdict[UUID | None, list[T]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return groups
