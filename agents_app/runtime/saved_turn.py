"""What a turn knows, and how it is saved: entry by entry, step by step, while the run holds the lease."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from django.utils import timezone

from agents_app import base
from agents_app.base import Said
from agents_app.models import Artifact, EventType, Message, Step, Task, TaskState
from agents_app.runtime.answer import AnswerText, Writes
from agents_app.runtime.brake import BUDGET, Choice, Limit, last_choice
from agents_app.runtime.endings import LeaseLost, Spent
from agents_app.runtime.facts import changed_fact, step_fact
from agents_app.runtime.journal import Chain, Entry, Fact, TaskChange
from agents_app.threads import in_thread

if TYPE_CHECKING:
    from agents_app.runtime.runtime import Runtime

UNSAVED_AT_MOST = 64  # posts of one turn: then it waits until they are saved


@dataclass
class Recalled:
    """What the database knows of a task when it begins to run, perhaps not for the first time."""

    said: Said
    ends_at: float  # its time, on this process's monotonic clock
    steps: list[Step] = field(default_factory=list)
    open_answer: Message | None = None
    chain: Chain = field(default_factory=Chain)  # of the entry that made the task, where that is not saved yet


class SavedTurn(base.Turn):
    def __init__(self, runtime: Runtime, task: Task, agent: base.Agent, recalled: Recalled) -> None:
        self.runtime = runtime
        self.task = task
        self.agent = agent
        self.message = recalled.said
        self.task_id = task.id
        self.context_id = task.context_id
        self.metadata = task.metadata
        self.chain = tuple(task.chain)
        self.answer = AnswerText(runtime.live, task)
        self.steps = {step.key: step for step in recalled.steps}
        self._open_answer = recalled.open_answer
        self._ran_before = task.attempts > 1 or bool(recalled.steps) or recalled.open_answer is not None
        self._chain = recalled.chain
        self._posted = 0
        self.answers: list[Message] = []
        self.question: Message | None = None  # what it waits with
        self.artifacts: dict[UUID, Artifact] = {}
        self.choice = last_choice(recalled.steps)  # when the budget was used up
        # What an earlier run finished and this one has not come to yet. A brain's own calls come from its log.
        finished = (step for step in recalled.steps if step.finished_at and step.name != BUDGET)
        self._ahead = {step.key for step in finished if not step.key.startswith("call:")}
        self._counts: Counter[str] = Counter()
        self._ends_at = recalled.ends_at
        self._tokens_left = int(task.budget["tokens"])
        self._hops_left = int(task.budget["hops"])
        self._job = asyncio.current_task()
        self._shows_life = True
        self.abandoned = False  # another run has the task, or it is over, and this one has not come to its end

    # -- what was done before

    def recall(self, key: str) -> Step | None:
        self._ahead.discard(key)
        return self.steps.get(key)

    def skip(self, keys: Sequence[str]) -> None:
        self._ahead.difference_update(keys)

    @property
    def replaying(self) -> bool:
        """An earlier run came further than this one so far: what is said now was said already."""
        return bool(self._ahead)

    # -- its budget

    def seconds_left(self) -> float:
        return max(self._ends_at - time.monotonic(), 0)

    def spend(self, tokens: int) -> None:
        self._tokens_left -= tokens

    def check_tokens(self, tokens: int = 0) -> None:
        if not self.answers_now and (self._tokens_left < tokens or self._tokens_left <= 0):
            self.run_out(Limit.TOKENS)

    def run_out(self, limit: Limit) -> NoReturn:
        """Leave the turn: a person decides how it goes on."""
        raise Spent(limit, f"{self.agent.name} had used up its budget.")

    @property
    def answers_now(self) -> bool:
        """A person wants an answer out of what is known: nothing more is asked for or looked up."""
        return self.choice == Choice.ANSWER

    @property
    def tokens_left(self) -> int:
        return self._tokens_left

    @property
    def hops_left(self) -> int:
        return self._hops_left

    # -- saving

    async def commit(self, *facts: Fact, new: Any = (), changes: Any = (), **fields: Any) -> None:
        """Save something of this run, only while the run still holds the lease."""
        self._shows_life = True
        await self.runtime.journal.append(self._entry(facts, new, changes, fields))

    async def post(self, *facts: Fact, new: Any = (), changes: Any = (), **fields: Any) -> None:
        """The same without waiting for it. When it cannot be saved, nothing that follows in this run is."""
        self._shows_life = True
        saved = self.runtime.journal.post(self._entry(facts, new, changes, fields))
        self._posted += 1
        if self._posted % UNSAVED_AT_MOST == 0:
            await asyncio.shield(saved)

    def _entry(self, facts: Any, new: Any, changes: Any, fields: dict[str, Any]) -> Entry:
        change = TaskChange(self.task_id, fields, self.check_mine)
        return Entry(self.context_id, facts, new, changes, [change], chain=self._chain)

    def grown_text(self) -> Entry | None:
        """What saves the text said since the last time, unless the task is another's by now; None: there is nothing."""
        message = self.answer.message
        if message is None or self.task.state != TaskState.WORKING or not self.runtime.live.take_unsaved(message.id):
            return None
        # Outside the chain: that a growing text could not be saved once is no reason to begin anew.
        return Entry(changes=self.answer.saved_text(), tasks=[TaskChange(self.task_id, {}, self.check_mine)])

    def check_mine(self, task: Task) -> None:
        if not self._is_mine(task):
            raise LeaseLost

    def has_lost(self, task: Task) -> bool:
        """Of its row. A run that ends or parks its task notes so before it saves that, so it does not look like it."""
        return self.task.state == TaskState.WORKING and not self._is_mine(task)

    def _is_mine(self, task: Task) -> bool:
        mine = task.lease_owner == self.runtime.owner and task.attempts == self.task.attempts
        return mine and not task.is_terminal and not self.abandoned

    async def unsay(self, length: int) -> None:
        """Take back what was said behind that in the open message."""
        if self.answer.message is not None:
            await self.answer.show()
            writes = self.answer.cut(length)
            await self.commit(*writes.facts, changes=writes.changes)

    async def rewrite(self, message_id: UUID, old: str, new: str) -> None:
        """Put something else in the place of a part of a message that is finished."""
        message = await in_thread(Message.objects.filter(id=message_id).first)
        if message is not None and old in message.text:
            message.text = message.text.replace(old, new, 1)
            await self.commit(changed_fact(message, cut=True), changes=[(message, ("text",))])

    async def begin_step(self, step: Step, *facts: Fact, new: Sequence[Any] = ()) -> None:
        """Save that something begins, and show it behind what was said so far."""
        step.message = await self._begin()
        step.offset = self.answer.length
        await self.answer.show()
        self.steps[step.key] = step
        started = step_fact(EventType.TOOL_STARTED, step)
        await self.commit(*facts, started, new=[*new, step], changes=self.answer.saved_text())

    async def finish_step(self, step: Step) -> None:
        step.finished_at = timezone.now()
        finished = step_fact(EventType.TOOL_FINISHED, step)
        # With the text before it: an earlier run began the step, and this one said that anew and has perhaps not saved it.
        changes = [(step, ("data", "error", "finished_at")), *self.answer.saved_text()]
        await self.commit(finished, changes=changes)

    async def _begin(self) -> Message:
        message = self.answer.message
        if message is None:
            writes = self.answer.begin()
            message = self.answer.message
            self._note_answers(writes)
            await self.post(*writes.facts, new=writes.new)  # in its place before this waits for anything
        assert message is not None
        return message

    def _note_answers(self, writes: Writes) -> None:
        self.answers += [row for row in writes.new if isinstance(row, Message)]

    # -- stopping

    def abandon(self) -> None:
        """The task is not this run's any more; whatever its agent still does is neither shown nor saved."""
        self.abandoned = True
        self.answer.detach()

    def take_sign_of_life(self) -> bool:
        """Whether anything was said or saved since the last look."""
        shown, self._shows_life = self._shows_life, False
        return shown

    @property
    def unsaved_because(self) -> Exception | None:
        """Why something of this run could not be saved, and nothing that followed was."""
        return self._chain.error

    @property
    def cancelled(self) -> bool:
        return self._job is not None and self._job.cancelling() > 0

    def _stop_if_cancelled(self) -> None:
        if self.cancelled or self.abandoned:
            raise asyncio.CancelledError
        if self._chain.error is not None:
            raise self._chain.error
