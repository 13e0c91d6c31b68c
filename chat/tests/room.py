"""A room written straight into the database, for tests that only read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from accounts.models import User
from agents_app.models import Agent, Artifact, JournalHead, Message, Step, Task
from chat.models import Conversation, Participant

BEGIN = datetime(2026, 6, 4, 9, 41, tzinfo=UTC)


class Room:
    def __init__(self, *people: User, agents: tuple[str, ...] = ("chloe", "phil"), title: str = "A room") -> None:
        self.conversation = Conversation.objects.create(title=title, created_by=people[0])
        self.seats = [self._seat(user=person) for person in people]
        for agent in agents:
            self._seat(agent_id=agent)
        self._numbers = count(1)

    @property
    def id(self) -> Any:
        return self.conversation.id

    def said(self, text: str, user: User | None = None, agent: str = "", **values: Any) -> Message:
        seq = next(self._numbers)
        values = {"created_at": BEGIN + timedelta(minutes=seq), **values}
        values.setdefault("role", Message.Role.AGENT if agent else Message.Role.USER)
        message = Message.objects.create(
            context_id=self.id, seq=seq, text=text, user=user, agent_id=agent or None, **values
        )
        JournalHead.objects.update_or_create(context_id=self.id, defaults={"seq": seq})
        if not message.inner:
            Conversation.objects.filter(id=self.id).update(message_seq=seq)
        return message

    def task(self, agent: str, request: Message, **values: Any) -> Task:
        moments = {"created_at": BEGIN, "updated_at": BEGIN + timedelta(seconds=2), **values}
        return Task.objects.create(context_id=self.id, agent_id=agent, request=request, **moments)

    def step(self, message: Message, **values: Any) -> Step:
        moments = {"started_at": BEGIN, "finished_at": BEGIN + timedelta(seconds=1)}
        key = f"step {Step.objects.count()}"
        return Step.objects.create(task=message.task, message=message, key=key, **{**moments, **values})

    def artifact(self, message: Message, *parts: dict[str, Any], name: str = "") -> Artifact:
        values = {"task": message.task, "message": message, "name": name, "created_at": BEGIN}
        return Artifact.objects.create(parts=list(parts), **values)

    def _seat(self, **who: Any) -> Participant:
        return Participant.objects.create(conversation=self.conversation, active_at=BEGIN, **who)


def make_agent(id: str, **values: Any) -> Agent:
    return Agent.objects.create(id=id, **{"name": id.title(), "description": f"{id} helps.", **values})
