"""Ask an agent in this process, beside a server or without one: what `manage.py ask` does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from agents_app import runtime
from agents_app.actions.tasks import TaskOver, TaskWrites, answer_question, begin_task, cancel_task, open_questions
from agents_app.ids import uuid7
from agents_app.models import INTERRUPTED, Agent, Event, EventType, JournalHead, Message, Step, Task, TaskState
from agents_app.runtime.brake import BUDGET
from agents_app.runtime.facts import created_fact
from agents_app.runtime.journal import Entry
from agents_app.runtime.relay import Piece
from agents_app.threads import in_thread

LOOK_AGAIN_SECONDS = 1.0  # another process of this server may have taken the task over

Show = Callable[[str], None]
Answerer = Callable[[], Awaitable[str | None]]  # None: nobody answers


@dataclass(frozen=True, slots=True)
class Outcome:
    task: Task
    said: list[Message]

    def as_json(self) -> dict[str, Any]:
        usages = [message.usage for message in self.said]
        artifacts = [
            {"name": artifact.name, "description": artifact.description, "parts": artifact.parts}
            for artifact in self.task.artifacts.order_by("id")
        ]
        return {
            "task": str(self.task.id),
            "context": str(self.task.context_id),
            "agent": self.task.agent_id,
            "state": self.task.state,
            "status": self.task.status_text,
            "answer": "\n\n".join(message.text for message in self.said if message.text),
            "artifacts": artifacts,
            "tokens": sum(usage.get("input_tokens", 0) + usage.get("output_tokens", 0) for usage in usages),
        }


class Asking:
    """One question to one agent, in a context without a conversation. `show` gets the answer while it is said."""

    def __init__(self, agent: Agent, owner: User | None, show: Show, report: Show, answer: Answerer) -> None:
        self._agent = agent
        self._owner = owner
        self._show = show
        self._report = report
        self._answer = answer
        self._context_id = uuid7()
        self._texts: dict[UUID, str] = {}  # what streamed so far
        self._ended: set[UUID] = set()  # messages whose last line has been shown
        self._shown: dict[UUID, int] = {}  # how much of each message; of those between agents nothing

    async def ask(self, text: str) -> Outcome:
        """Until the task has ended, or waits for an answer that nobody gives. Cancelled, it stops the task."""
        current = runtime.current()
        current.keep_alive()
        current.journal.subscribe(self._hear)
        current.live.subscribe(self._stream)
        task = await self._begin(text)
        try:
            while (task := await self._settled(task)).state in INTERRUPTED and await self._go_on():
                pass
        except asyncio.CancelledError:
            await _stop(task)
            raise
        await self._show_rest()
        return Outcome(task, await in_thread(_said, task))

    async def _begin(self, text: str) -> Task:
        request = self._message(text)
        writes = TaskWrites(new=[request], facts=[created_fact(request)])
        task = begin_task(writes, request, self._agent.id, self._owner and self._owner.pk)
        head = JournalHead(context_id=self._context_id, owner=self._owner)
        await self._commit(writes, head)
        return task

    async def _go_on(self) -> bool:
        """Answer what is asked, by this agent or by one it asked itself."""
        await self._show_rest()
        questions = await in_thread(open_questions, self._context_id)
        for question in questions.values():
            if question.name == BUDGET:  # it stands in no message
                self._show(f"\n{question.data['question']}\n")
        answer = await self._answer() if questions else None
        if answer is None:
            return False
        message = self._message(answer)
        writes = TaskWrites(new=[message], facts=[created_fact(message)])
        answer_question(writes, next(iter(questions.values())), message)
        await self._commit(writes)
        return True

    async def _commit(self, writes: TaskWrites, opens: JournalHead | None = None) -> None:
        entry = Entry(self._context_id, writes.facts, writes.new, writes.changes, writes.tasks, opens)
        await runtime.current().journal.append(entry)
        runtime.current().queue.put(*writes.put)

    async def _settled(self, task: Task) -> Task:
        while True:
            settled = runtime.current().when_settled(task.id)
            task, waits = await in_thread(_look_at, task.id)
            if task.is_terminal or waits:
                return task
            await asyncio.wait([settled], timeout=LOOK_AGAIN_SECONDS)

    def _message(self, text: str) -> Message:
        now = timezone.now()
        values = {"context_id": self._context_id, "role": Message.Role.USER, "user": self._owner}
        return Message(**values, text=text, created_at=now)

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if event.context_id != self._context_id:
                continue
            if event.type == EventType.MESSAGE_CREATED and not event.data["inner"]:
                self._show_grown(UUID(event.data["message"]))
            if event.type == EventType.TASK_STATUS and event.data["state"] == TaskState.WORKING and event.data["text"]:
                self._report(event.data["text"])

    async def _stream(self, pieces: list[Piece]) -> None:
        """Pieces may come before the news that there is such a message."""
        for piece in pieces:
            if piece.context_id == self._context_id:
                self._texts[piece.message_id] = self._texts.get(piece.message_id, "")[: piece.offset] + piece.text
                if piece.message_id in self._shown:
                    self._show_grown(piece.message_id)

    async def _show_rest(self) -> None:
        """What is saved and did not stream: a question, or the answer of a task that another process took over."""
        for message in await in_thread(_answers_in, self._context_id):
            self._texts[message.id] = message.text
            self._show_grown(message.id)
            if message.text and message.id not in self._ended:
                self._ended.add(message.id)
                self._show("\n")

    def _show_grown(self, message_id: UUID) -> None:
        text, shown = self._texts.get(message_id, ""), self._shown.get(message_id, 0)
        if len(text) > shown:
            self._show(text[shown:])
        self._shown[message_id] = max(shown, len(text))


async def _stop(task: Task) -> None:
    try:
        await cancel_task(await in_thread(Task.objects.get, id=task.id))
    except TaskOver:
        pass


def _look_at(task_id: UUID) -> tuple[Task, bool]:
    """The task, and whether it waits for somebody: a task whose child was answered waits for nobody any more."""
    task = Task.objects.select_related("agent").get(id=task_id)
    if task.state not in INTERRUPTED:
        return task, False
    asks = Step.objects.filter(task__context_id=task.context_id, finished_at=None, kind=Step.Kind.ASK)
    return task, task.state == TaskState.AUTH_REQUIRED or asks.exists()


def _answers_in(context_id: UUID) -> list[Message]:
    return list(Message.objects.in_context(context_id).for_people().filter(role=Message.Role.AGENT).order_by("seq"))


def _said(task: Task) -> list[Message]:
    return list(task.messages.filter(role=Message.Role.AGENT).order_by("seq"))
