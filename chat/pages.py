"""Keyset paging: every list stays as fast at its millionth row as at its first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from agents_app.models import Task, WireMessage
from agents_app.models.message import MessageQuerySet
from chat.models import Participant

T = TypeVar("T")


class BadCursor(ValueError):
    """A page was asked for with a cursor this server did not give."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`before`, `after`: the cursors of the next page of older and of newer rows; empty when there are none."""

    rows: list[T]
    before: str = ""
    after: str = ""


def messages_page(messages: MessageQuerySet, before: str, size: int) -> Page[UUID]:
    """Ids of the newest messages before a journal number, oldest first."""
    if before:
        messages = messages.before(read_number(before))
    found = list(messages.order_by("-seq").values_list("id", "seq")[: size + 1])
    rows = [id for id, _ in reversed(found[:size])]
    return Page(rows, str(found[size - 1][1]) if len(found) > size else "")


def messages_page_after(messages: MessageQuerySet, after: str, size: int) -> Page[UUID]:
    """Ids of the messages next after a journal number, oldest first."""
    found = list(messages.filter(seq__gt=read_number(after)).order_by("seq").values_list("id", "seq")[: size + 1])
    return Page([id for id, _ in found[:size]], after=str(found[size - 1][1]) if len(found) > size else "")


def messages_page_around(messages: MessageQuerySet, at: str, size: int) -> Page[UUID]:
    """Ids of the messages around a journal number."""
    seq = read_number(at)
    older = messages_page(messages, str(seq + 1), size // 2)
    newer = messages_page_after(messages, str(seq), size - size // 2)
    return Page(older.rows + newer.rows, older.before, newer.after)


def participations_page(participations: QuerySet[Participant], before: str, size: int) -> Page[Participant]:
    """Conversations by their last activity, newest first."""
    if before:
        active_at, conversation_id = _moment(before)
        older = Q(active_at__lt=active_at) | Q(active_at=active_at, conversation_id__lt=conversation_id)
        # The first condition says nothing new; it lets the database begin in the middle of its index.
        participations = participations.filter(active_at__lte=active_at).filter(older)
    found = list(participations[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], f"{last.active_at.isoformat()}_{last.conversation_id}" if last else "")


def tasks_page(tasks: QuerySet[Task], before: str, size: int) -> Page[Task]:
    """One person's tasks by their last change, newest first."""
    if before:
        updated_at, task_id = _moment(before)
        older = Q(updated_at__lt=updated_at) | Q(updated_at=updated_at, id__lt=task_id)
        tasks = tasks.filter(updated_at__lte=updated_at).filter(older)
    found = list(tasks[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], f"{last.updated_at.isoformat()}_{last.id}" if last else "")


def everybodys_tasks_page(tasks: QuerySet[Task], before: str, size: int) -> Page[Task]:
    """Tasks by their beginning, newest first."""
    found = list((tasks.filter(id__lt=read_id(before)) if before else tasks)[: size + 1])
    return Page(found[:size], str(found[size - 1].id) if len(found) > size else "")


def wire_page(messages: QuerySet[WireMessage], before: str, size: int) -> Page[WireMessage]:
    """The newest messages before one, oldest first."""
    earlier = messages.filter(id__lt=read_id(before)) if before else messages
    found = list(earlier.order_by("-id")[: size + 1])
    return Page(found[:size][::-1], str(found[size - 1].id) if len(found) > size else "")


def read_number(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 18:
        raise BadCursor(f'"{cursor}" is not a page of this list.')
    return int(cursor)


def read_id(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise BadCursor(f'"{cursor}" is not a page of this list.') from None


def _moment(cursor: str) -> tuple[datetime, UUID]:
    active_at, _, conversation_id = cursor.partition("_")
    try:
        # A "+" in a query string arrives as a space when whoever built the link did not escape it.
        return datetime.fromisoformat(active_at.replace(" ", "+")).astimezone(UTC), UUID(conversation_id)
    except (ValueError, OverflowError):  # the first moment of the year 1 may lie before it in UTC
        raise BadCursor(f'"{cursor}" is not a page of this list.') from None
