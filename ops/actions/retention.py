"""What is deleted when it is old and nothing needs it any more. In batches, so that nobody waits for a long transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import BrowserSession, SignInLink
from agents_app.models import TERMINAL, Event, EventType, PushDelivery, Task, WireMessage

BATCH = 500
PAUSE_SECONDS = 0.02  # for those who wait to write

Tell = Callable[[int], None]  # so many more were deleted


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    what: str
    setting: str  # days; empty: what is over by itself
    old: Callable[[datetime], Iterator[models.QuerySet[Any]]]  # batches of what is older than that

    @property
    def days(self) -> int | None:
        """None: there is nothing to set. 0: for ever."""
        return getattr(settings, self.setting) if self.setting else None


def prune(rule: Rule, tell: Tell, *, dry_run: bool = False) -> int:
    if rule.days == 0:
        return 0
    total = 0
    for batch in rule.old(timezone.now() - timedelta(days=rule.days or 0)):
        if dry_run:
            count = batch.count()
        else:
            with transaction.atomic():
                count = batch.delete()[1].get(batch.model._meta.label, 0)
            time.sleep(PAUSE_SECONDS)
        total += count
        tell(count)
    return total


def _in_batches(found: models.QuerySet[Any], key: str = "pk") -> Iterator[models.QuerySet[Any]]:
    """One after the other by their key, so that none is looked at twice, also when nothing is deleted."""
    found, last = found.order_by(key), None
    while keys := list((found.filter(**{f"{key}__gt": last}) if last else found).values_list(key, flat=True)[:BATCH]):
        last = keys[-1]
        yield found.model._default_manager.filter(**{f"{key}__in": keys})


def _first_id_of(moment: datetime) -> UUID:
    """Ids are UUIDs of version 7: their first 48 bits are milliseconds, so the key's own index finds what is old."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _wire_log(before: datetime) -> Iterator[models.QuerySet[Any]]:
    yield from _in_batches(WireMessage.objects.filter(id__lt=_first_id_of(before)))


def _notifications(before: datetime) -> Iterator[models.QuerySet[Any]]:
    """With every attempt. What still waits stays."""
    over = PushDelivery.objects.exclude(state=PushDelivery.State.WAITING)
    yield from _in_batches(over.filter(id__lt=_first_id_of(before)))


def _events(before: datetime) -> Iterator[models.QuerySet[Any]]:
    """Of tasks that ended: that a message had changed, which the message shows; and parts of artifacts, which the artifact
    has. What the page of a task tells stays, and so does all that a notification may still have to say."""
    told = PushDelivery.objects.exclude(state=PushDelivery.State.SENT).values("config__task")
    ended = Task.objects.filter(id__lt=_first_id_of(before), updated_at__lt=before, state__in=TERMINAL)
    grown = Q(type=EventType.MESSAGE_CHANGED) | Q(type=EventType.TASK_ARTIFACT, data__append=True)
    for tasks in _in_batches(ended.exclude(id__in=told)):
        yield Event.objects.filter(grown, task__in=list(tasks.values_list("id", flat=True)))


def _sessions(now: datetime) -> Iterator[models.QuerySet[Any]]:
    yield from _in_batches(Session.objects.filter(expire_date__lt=now))


def _browsers(now: datetime) -> Iterator[models.QuerySet[Any]]:
    """Where somebody was signed in, and is no more."""
    silent = BrowserSession.objects.filter(seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE))
    yield from _in_batches(silent.exclude(session_key__in=Session.objects.values("session_key")))


def _links(before: datetime) -> Iterator[models.QuerySet[Any]]:
    yield from _in_batches(SignInLink.objects.filter(expires_at__lt=before))


RULES = (
    Rule("wire", "messages in the wire log", "KEEP_WIRE_LOG_DAYS", _wire_log),
    Rule("notifications", "notifications that were sent or given up", "KEEP_NOTIFICATIONS_DAYS", _notifications),
    Rule("events", "events of finished tasks that nothing shows", "KEEP_EVENTS_DAYS", _events),
    Rule("links", "sign-in links that work no more", "KEEP_SIGN_IN_LINKS_DAYS", _links),
    Rule("sessions", "sessions that are over", "", _sessions),
    Rule("browsers", "browsers that are signed in no more", "", _browsers),
)
