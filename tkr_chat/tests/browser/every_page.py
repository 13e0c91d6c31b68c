"""One row of everything the admin shows, with texts as long as they come. Runs inside `manage.py shell`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.actions.api_tokens import make_token
from accounts.models import User
from agents_app.actions.prompts import override_prompt
from agents_app.actions.signing_keys import rotate_signing_key
from agents_app.ids import uuid7
from agents_app.models import Agent, JournalHead, Message, PushAttempt, PushConfig, PushDelivery, Step, Task
from chat.models import Conversation, Participant
from metrics.models import Alert, AlertDelivery, AlertRule, Silence
from ops.models import Backup

LONG = "a-name-that-somebody-chose-without-any-thought-for-how-it-will-look-in-a-narrow-window"
URL = f"https://hooks.example.org/{LONG}/{LONG}?token=1"


def make() -> None:
    now = timezone.now()
    grace = User.objects.create_superuser("grace", display_name="Grace")
    User.objects.create_user(LONG, display_name=LONG)
    Group.objects.create(name=LONG)
    make_token(grace, LONG)
    rotate_signing_key()
    chloe = Agent.objects.get(id="chloe")
    for text in ("You are terse.\nSay little.", f"You are terse.\n{LONG * 3}", "You are kind.\nSay much."):
        override_prompt(chloe, text, grace)
    _push(_task(grace, chloe, now), now)
    _alerts(grace, now)
    AccessAttempt.objects.create(username=LONG, ip_address="192.0.2.1", user_agent=LONG, failures_since_start=5)
    Backup.objects.create(name=f"tkr-{LONG}.backup", made_at=now, state="failed", error=LONG, seconds=1, size=10**9)


def _task(grace: User, chloe: Agent, now: Any) -> Task:
    """It seems to hang, in a process elsewhere."""
    conversation = Conversation.objects.create(title=LONG, created_by=grace)
    JournalHead.objects.create(context_id=conversation.id, owner=grace, seq=1)
    for who in ({"user": grace}, {"agent": chloe}):
        Participant.objects.create(conversation=conversation, active_at=now, **who)
    request = Message.objects.create(
        context_id=conversation.id, seq=1, role="user", user=grace, text="Hello", created_at=now
    )
    common = {"context_id": conversation.id, "agent": chloe, "owner": grace, "request": request, "updated_at": now}
    held = {
        "state": "working",
        "version": 1,
        "lease_owner": f"elsewhere/{LONG}/1/2",
        "lease_until": now + timedelta(hours=1),
    }
    task = Task.objects.create(**common, **held, attempts=1, created_at=now, alive_at=now - timedelta(minutes=5))
    Step.objects.create(
        task=task,
        key="tool:1",
        kind="tool",
        name="web_page",
        data={"arguments": {"url": URL}, "text": LONG * 4},
        started_at=now,
    )
    if settings.ON_POSTGRESQL:
        from agents_app.runtime.queue_jobs import defer

        defer([task.id])
    return task


def _push(task: Task, now: Any) -> None:
    config = PushConfig.objects.create(id=uuid7(), task=task, name=LONG, url=URL, created_at=now)
    delivery = PushDelivery.objects.create(config=config, version=1, state="dead", tries=3, due_at=now, created_at=now)
    PushAttempt.objects.create(delivery=delivery, at=now, error=f"{LONG} does not answer", milliseconds=15_000)


def _alerts(grace: User, now: Any) -> None:
    rule = AlertRule.objects.create(name=LONG, metric="tkr_queue_age_seconds", threshold=10, what_to_do=LONG * 2)
    alert = Alert.objects.create(rule=rule, state="firing", value=11, worst=12, began_at=now, seen_at=now, fired_at=now)
    AlertDelivery.objects.create(alert=alert, what="firing", channel="webhook", state="failed", error=LONG)
    Silence.objects.create(rule=rule, reason=LONG, made_by=grace, ends_at=now + timedelta(hours=1))
