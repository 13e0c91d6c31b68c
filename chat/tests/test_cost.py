"""What a message costs a web process: each statement is put together by Django, which costs more than its answer."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from agents_app import allowance
from agents_app.models import Event, EventType
from chat.actions.messages import _prepare
from chat.news import load_news
from chat.tests.room import Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tables that were asked, also where Django found in the end that nothing can be there and did not ask."""
    found: list[str] = []
    compile = SQLCompiler.as_sql

    def as_sql(compiler: SQLCompiler, *args: object, **kwargs: object) -> object:
        found.append(compiler.query.model._meta.db_table)
        return compile(compiler, *args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "as_sql", as_sql)
    return found


def test_it_works(ada: User, compiled: list[str]) -> None:
    """Whether it is known, who is here, which agents there are, whether one of them asked something; and from time to time
    what its author may use in a day."""
    room = Room(ada, agents=("chloe",))
    allowance.forget()
    compiled.clear()
    each_time = ["agents_app_agent", "agents_app_message", "agents_app_task", "chat_participant"]
    for first in (["accounts_user"], []):
        _prepare(ada, room.conversation, uuid4(), "Hello", [])
        assert sorted(compiled) == [*first, *each_time]
        compiled.clear()


def test_what_its_author_may_use_is_known_by_then(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(ada, agents=("chloe",))
    allowance.forget()
    _prepare(ada, room.conversation, uuid4(), "Hello", [])
    monkeypatch.setattr(allowance, "in_thread", None)  # it would be called
    asyncio.run(allowance.require_allowance(ada.id))


def test_a_persons_message_is_told_with_one(ada: User, compiled: list[str]) -> None:
    room = Room(ada, agents=("chloe",))
    message = room.said("Hello", ada)
    told = Event(context_id=room.id, type=EventType.MESSAGE_CREATED, data={"message": str(message.id)})
    compiled.clear()
    assert list(load_news([told]).messages) == [str(message.id)]
    assert compiled == ["agents_app_message"]


def test_the_state_of_a_task_is_told_without_any(ada: User, compiled: list[str]) -> None:
    room = Room(ada, agents=("chloe",))
    compiled.clear()
    load_news([Event(context_id=room.id, type=EventType.TASK_STATUS, data={"state": "working"})])
    assert not compiled
