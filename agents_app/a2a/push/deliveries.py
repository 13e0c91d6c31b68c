"""The outbox as a sender sees it. Everything here is safe with senders in several processes, on both databases.

A delivery belongs to whoever wrote `lease_until` into it, by an update that checks that nobody had it. The next one of a
configuration may be claimed only when none before it waits any more, so they leave in the order of the task.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from agents_app.a2a.push.outbox import announce
from agents_app.models import Event, EventType, PushAttempt, PushDelivery
from agents_app.signals import push_attempted

LEASE_SECONDS = 60  # more than one try with its database work can take
LONGEST_DELAY_SECONDS = 3600
WAITING, SENT, DEAD = PushDelivery.State.WAITING, PushDelivery.State.SENT, PushDelivery.State.DEAD


def find_due(busy: Collection[UUID], limit: int) -> list[UUID]:
    """Ids of configurations, none of `busy`, whose first waiting delivery may be tried now."""
    earlier = PushDelivery.objects.filter(
        config_id=OuterRef("config_id"), state=WAITING, version__lt=OuterRef("version")
    )
    due = _free(timezone.now()).exclude(config_id__in=busy).filter(~Exists(earlier))
    return list(due.order_by("due_at").values_list("config_id", flat=True)[:limit])


def claim_next(config_id: UUID) -> PushDelivery | None:
    """The first that waits, with its configuration; None when there is none, it is not due, or somebody has it."""
    waiting = PushDelivery.objects.filter(config_id=config_id, state=WAITING)
    delivery = waiting.select_related("config").order_by("version").first()
    if delivery is None:
        return None
    now = timezone.now()
    lease = now + timedelta(seconds=LEASE_SECONDS)
    if not _free(now).filter(id=delivery.id).update(lease_until=lease):
        return None
    delivery.lease_until = lease
    return delivery


def find_event(delivery: PushDelivery) -> Event | None:
    return Event.objects.filter(task_id=delivery.config.task_id, version=delivery.version).first()


def is_told_later(event: Event) -> bool:
    """An answer that was finished before its beginning was told: its end tells the same."""
    if event.type != EventType.MESSAGE_CREATED:
        return False
    later = Event.objects.filter(context_id=event.context_id, seq__gt=event.seq, type=EventType.MESSAGE_CHANGED)
    return later.filter(data__message=event.data["message"]).exists()


def record(delivery: PushDelivery, attempt: PushAttempt) -> float | None:
    """Keep what a try came to. Returns the seconds until the next one; None: there is none."""
    with transaction.atomic():
        current = _locked(delivery)
        if current is None:  # the configuration was deleted meanwhile
            return None
        attempt.save()
        if current.lease_until != delivery.lease_until:  # this took so long that somebody else has it now
            return None
        current.tries, current.lease_until = current.tries + 1, None
        seconds = None if attempt.succeeded else _seconds_to_wait(current)
        if attempt.succeeded:
            current.state, current.sent_at = SENT, attempt.at
        elif seconds is None:
            current.state = DEAD
        else:
            current.due_at = attempt.at + timedelta(seconds=seconds)
            _waiting_behind(current).update(due_at=current.due_at)
        current.save()
    push_attempted.send(sender=PushDelivery, attempt=attempt, state=current.state)
    return seconds


def drop(delivery: PushDelivery) -> None:
    """Its event is none that A2A tells of."""
    PushDelivery.objects.filter(id=delivery.id, lease_until=delivery.lease_until).delete()


def give_back(delivery: PushDelivery) -> None:
    """This process ends before the answer came: let another one try at once."""
    PushDelivery.objects.filter(id=delivery.id, lease_until=delivery.lease_until).update(lease_until=None)


def send_again(deliveries: QuerySet[PushDelivery]) -> int:
    """Put what was sent or given up back into the outbox, with all its tries; returns how many."""
    over = deliveries.filter(state__in=(SENT, DEAD))
    count = over.update(state=WAITING, tries=0, due_at=timezone.now(), lease_until=None, sent_at=None)
    transaction.on_commit(announce)
    return count


def delay_after(tries: int) -> float:
    """Seconds: twice as long after each try, up to an hour, a little more or less so that not all come back at once."""
    seconds = min(settings.A2A_PUSH_RETRY_SECONDS * 2 ** min(tries - 1, 30), LONGEST_DELAY_SECONDS)
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  (no secret)


def _free(now: datetime) -> QuerySet[PushDelivery]:
    unclaimed = Q(lease_until=None) | Q(lease_until__lt=now)
    return PushDelivery.objects.filter(unclaimed, state=WAITING, due_at__lte=now)


def _locked(delivery: PushDelivery) -> PushDelivery | None:
    return PushDelivery.objects.select_for_update().filter(id=delivery.id).first()


def _seconds_to_wait(delivery: PushDelivery) -> float | None:
    """After a failed try. What comes behind a dead letter gets one try: its receiver was away for a day already."""
    if delivery.tries >= settings.A2A_PUSH_MAX_TRIES or _follows_dead_letter(delivery):
        return None
    return delay_after(delivery.tries)


def _follows_dead_letter(delivery: PushDelivery) -> bool:
    before = PushDelivery.objects.filter(config_id=delivery.config_id, version__lt=delivery.version)
    return before.order_by("-version").values_list("state", flat=True).first() == DEAD


def _waiting_behind(delivery: PushDelivery) -> QuerySet[PushDelivery]:
    """They cannot leave before it; with its due time nobody looks at them before."""
    return PushDelivery.objects.filter(config_id=delivery.config_id, state=WAITING, version__gt=delivery.version)
