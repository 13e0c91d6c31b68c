"""The message that a turn writes: begun at the first word, streamed, finished with the task or with a question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.utils import timezone

from agents_app.models import Message, Task
from agents_app.runtime.facts import changed_fact, created_fact
from agents_app.runtime.journal import Fact
from agents_app.runtime.live import LiveText
from agents_app.runtime.rows import new_row

NOWHERE_SECONDS = 1.0
BREATH = 64  # pieces after which an agent that never waits lets others run


@dataclass(slots=True)
class Writes:
    """Part of a journal entry."""

    facts: list[Fact] = field(default_factory=list)
    new: list[Model] = field(default_factory=list)
    changes: list[tuple[Model, tuple[str, ...]]] = field(default_factory=list)


class AnswerText:
    """Holds at most one open message of a task; everything it returns is for the caller to commit."""

    def __init__(self, live: LiveText, task: Task) -> None:
        self._live = live
        self._task = task
        self._pieces = 0
        self.message: Message | None = None
        self.length = 0
        self.usage: dict[str, Any] = {}

    def begin(self) -> Writes:
        """Open a new message and make it streaming. Commit before the first `say`."""
        message = self._new_message(Message.State.STREAMING)
        self._live.open(self._task.context_id, message.id)
        self.message, self.length = message, 0
        return self._created(message)

    def reopen(self, message: Message, length: int) -> Writes:
        """Go on with a message of an earlier run, cut to what its finished steps cover."""
        self.message, self.length, self.usage = message, length, dict(message.usage)
        message.text = message.text[:length]
        self._live.open(self._task.context_id, message.id, message.text)
        # Even where nothing is cut: readers may have more than was saved, and it is said anew.
        return Writes([changed_fact(message, cut=True)], [], [(message, ("text",))])

    def cut(self, length: int) -> Writes:
        """Take back what was said behind that."""
        assert self.message is not None
        self.message.text, self.length = self._live.text(self.message.id)[:length], length
        self._live.open(self._task.context_id, self.message.id, self.message.text)
        return Writes([changed_fact(self.message, cut=True)], [], [(self.message, ("text",))])

    async def say(self, text: str) -> None:
        assert self.message is not None
        self.length += len(text)
        self._live.append(self.message.id, text)
        self._pieces += 1
        if self._pieces % BREATH == 0:
            await asyncio.sleep(0)

    async def show(self) -> None:
        """Bring what was said to the reader before whatever comes next."""
        if self.message is not None and self._live.has_unshown:
            await self._live.flush(self.message.id)

    def saved_text(self) -> list[tuple[Model, tuple[str, ...]]]:
        """The change that saves the text said so far."""
        if self.message is None:
            return []
        self.message.text = self._live.text(self.message.id)
        return [(self.message, ("text", "usage"))] if self._note_usage() else [(self.message, ("text",))]

    def finish(self, state: str, error: str = "", *, extra: dict[str, Any] | None = None) -> Writes:
        """End the open message; without one, make a message only where there is something to tell."""
        values = {"state": state, "error": error, "usage": dict(self.usage), **(extra or {})}
        if self.message is None:
            if state == Message.State.COMPLETE and not extra:
                return Writes()
            return self._created(self._new_message(**values))
        message = self.message
        message.text = self._live.text(message.id)
        for name, value in values.items():
            setattr(message, name, value)
        return self._changed(message, "text", *values)

    def question(self, text: str) -> tuple[Message, Writes]:
        """A question to the person, a message of its own: always for the room to see, so never inside a delegation."""
        writes = self.finish(Message.State.COMPLETE)
        message = self._new_message(Message.State.COMPLETE, text=text, inner=False)
        asked = Writes([created_fact(message, question=True)], [message])
        return message, join(writes, asked)

    def close(self) -> None:
        """Stop streaming; after the commit that finished the message."""
        if self.message is not None:
            self._live.close(self.message.id)
        self.message, self.length, self.usage = None, 0, {}

    def detach(self) -> None:
        """Another run of the task streams this message from now on: what this one still says goes nowhere."""
        live, self._live = self._live, LiveText(NOWHERE_SECONDS)
        if self.message is not None:
            self._live.open(self._task.context_id, self.message.id, live.text(self.message.id))
            live.close(self.message.id)

    def _note_usage(self) -> bool:
        assert self.message is not None
        changed = self.message.usage != self.usage
        self.message.usage = dict(self.usage)
        return changed

    def _new_message(self, state: str, **values: Any) -> Message:
        common: dict[str, Any] = {
            "context_id": self._task.context_id,
            "role": Message.Role.AGENT,
            "agent": self._task.agent,
            "task": self._task,
            "inner": self._task.parent_id is not None,
            "state": state,
            "created_at": timezone.now(),
        }
        return new_row(Message, **common | values)

    def _created(self, message: Message) -> Writes:
        return Writes([created_fact(message)], [message])

    def _changed(self, message: Message, *fields: str) -> Writes:
        return Writes([changed_fact(message)], [], [(message, tuple(fields))])


def join(*writes: Writes) -> Writes:
    def flat(name: str) -> Sequence[Any]:
        return [item for one in writes for item in getattr(one, name)]

    return Writes(list(flat("facts")), list(flat("new")), list(flat("changes")))
