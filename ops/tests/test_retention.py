from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import BrowserSession, SignInLink, User
from agents_app.ids import uuid7
from agents_app.models import Agent, Event, EventType, Message, PushConfig, PushDelivery, Task, WireMessage

pytestmark = pytest.mark.django_db

NOW = timezone.now()
OLD = NOW - timedelta(days=200)


def id_of(moment: datetime) -> UUID:
    """As it would have been made then."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | uuid4().int >> 48)


def pruned(*what: str) -> dict[str, int]:
    out = StringIO()
    call_command("prune", *what, "--json", stdout=out)
    return dict(json.loads(out.getvalue())["pruned"])


def task(state: str, at: datetime) -> Task:
    agent, _ = Agent.objects.get_or_create(id="tester", name="Tester")
    room = uuid7()
    request = Message.objects.create(context_id=room, seq=1, role="user", text="Hello", created_at=at)
    return Task.objects.create(
        id=id_of(at), agent=agent, context_id=room, request=request, state=state, created_at=at, updated_at=at
    )


def events(of: Task) -> None:
    facts: list[tuple[str, dict[str, Any]]] = [
        (EventType.TASK_STATUS, {"state": "working"}),
        (EventType.MESSAGE_CHANGED, {"message": "1"}),
        (EventType.TASK_ARTIFACT, {"append": False}),
        (EventType.TASK_ARTIFACT, {"append": True}),
        (EventType.TOOL_STARTED, {"step": "1"}),
    ]
    for number, (type, data) in enumerate(facts, 1):
        Event.objects.create(
            context_id=of.context_id,
            seq=number,
            task=of,
            version=number,
            type=type,
            data=data,
            created_at=of.created_at,
        )


def delivery(of: Task, state: str) -> PushDelivery:
    config = PushConfig.objects.create(task=of, name="1", url="https://example.com", created_at=of.created_at)
    return PushDelivery.objects.create(
        id=id_of(of.created_at), config=config, version=1, state=state, due_at=NOW, created_at=of.created_at
    )


def wire(at: datetime) -> WireMessage:
    return WireMessage.objects.create(id=id_of(at), direction="in", binding="JSONRPC", operation="x", created_at=at)


def test_it_works() -> None:
    wire(OLD)
    young = wire(NOW)

    assert pruned("wire") == {"wire": 1}
    assert WireMessage.objects.get() == young


def test_a_dry_run_only_counts() -> None:
    for _ in range(3):
        wire(OLD)

    out = StringIO()
    call_command("prune", "--dry-run", stdout=out)

    assert "Would delete 3 messages in the wire log." in out.getvalue() and WireMessage.objects.count() == 3


def test_more_than_a_batch_goes_and_zero_days_are_for_ever(settings: Settings) -> None:
    row = {"direction": "in", "binding": "JSONRPC", "operation": "x", "created_at": OLD}
    WireMessage.objects.bulk_create(WireMessage(id=id_of(OLD), **row) for _ in range(1201))

    settings.KEEP_WIRE_LOG_DAYS = 0
    assert pruned("wire") == {"wire": 0}
    settings.KEEP_WIRE_LOG_DAYS = 199
    assert pruned("wire") == {"wire": 1201}


def test_of_finished_tasks_what_their_page_shows_stays() -> None:
    ended, working, young = task("completed", OLD), task("working", OLD), task("completed", NOW)
    for each in (ended, working, young):
        events(each)

    assert pruned("events") == {"events": 2}
    left = [event.type for event in Event.objects.filter(task=ended).order_by("seq")]
    assert left == [EventType.TASK_STATUS, EventType.TASK_ARTIFACT, EventType.TOOL_STARTED]
    assert Event.objects.filter(task__in=[working, young]).count() == 10


@pytest.mark.parametrize("state", ["waiting", "dead"])
def test_what_a_notification_may_still_say_stays(state: str) -> None:
    ended = task("completed", OLD)
    events(ended)
    delivery(ended, state)

    assert pruned("events") == {"events": 0}


def test_notifications_go_with_their_attempts_unless_they_wait() -> None:
    waiting = delivery(task("completed", OLD), "waiting")
    for state in ("sent", "dead"):
        delivery(task("completed", OLD), state).attempts.create(at=OLD, status=200)

    assert pruned("notifications") == {"notifications": 2}
    assert PushDelivery.objects.get() == waiting


def test_sessions_browsers_and_links_go_when_they_are_over(ada: User) -> None:
    Session.objects.create(session_key="over", session_data="", expire_date=OLD)
    Session.objects.create(session_key="lasting", session_data="", expire_date=NOW + timedelta(days=1))
    for key in ("over", "lasting"):
        BrowserSession.objects.create(user=ada, session_key=key, seen_at=OLD)
    SignInLink.objects.create(user=ada, token_hash="1", expires_at=OLD)
    SignInLink.objects.create(user=ada, token_hash="2", expires_at=NOW)

    assert pruned("links", "sessions", "browsers") == {"links": 1, "sessions": 1, "browsers": 1}
    assert [each.session_key for each in BrowserSession.objects.all()] == ["lasting"]


def test_an_unknown_word_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("prune", "everything")
    assert ended.value.code == 2
